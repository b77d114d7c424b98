from __future__ import annotations

import json
import os
import stat
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from runbooks.engine.errors import InputError, RunbookError
from runbooks.engine.journal import FILE_NAME, ORIGIN, Journal, JournalUnwritable, read_chain, read_intact
from runbooks.engine.redact import Redactor
from runbooks.engine.secret import Secret
from tests.engine.toys import child, ended, write_journal


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A closed journal of five records."""
    return write_journal(tmp_path / "run", "run", "intent", "outcome", "note", "end", run="run")


def change(path: Path, edit: Callable[[list[bytes]], list[bytes]]) -> None:
    path.write_bytes(b"".join(edit(path.read_bytes().splitlines(keepends=True))))


def test_each_record_is_a_line_that_names_the_hash_of_the_one_before(written: Path) -> None:
    lines = [json.loads(line) for line in written.read_text().splitlines()]

    assert [line["seq"] for line in lines] == [1, 2, 3, 4, 5]
    assert [line["prev"] for line in lines] == [ORIGIN, *(line["hash"] for line in lines[:-1])]
    assert read_chain(written).last_hash == lines[-1]["hash"]


EDITS: dict[str, tuple[Callable[[list[bytes]], list[bytes]], int, str]] = {
    "an edited word": (lambda x: [*x[:2], x[2].replace(b"outcome", b"Outcome"), *x[3:]], 3, "was edited"),
    "an edited time": (lambda x: [*x[:3], x[3].replace(b"+00:00", b"+01:00"), x[4]], 4, "was edited"),
    "a removed line": (lambda x: [*x[:2], *x[3:]], 3, "record 4 stands where 3 was expected"),
    "a removed header": (lambda x: x[1:], 1, "record 2 stands where 1 was expected"),
    "two swapped lines": (lambda x: [x[0], x[2], x[1], *x[3:]], 2, "record 3 stands where 2 was expected"),
    "an inserted line": (lambda x: [*x[:2], x[1], *x[2:]], 3, "record 2 stands where 3 was expected"),
    "an inserted blank": (lambda x: [*x[:2], b"\n", *x[2:]], 3, "not a journal record"),
    "another kind of data": (lambda x: [*x[:4], x[4].replace(b'"data": {}', b'"data": []')], 5, "not a journal record"),
    "a time without a zone": (lambda x: [*x[:4], x[4].replace(b"+00:00", b"")], 5, "not a journal record"),
}


@pytest.mark.parametrize("name", EDITS)
def test_damage_is_found_with_its_line_number(written: Path, name: str) -> None:
    edit, line, problem = EDITS[name]
    change(written, edit)

    with pytest.raises(InputError, match=problem) as caught:
        read_intact(written)

    assert caught.value.where == f"{written}:{line}"
    assert len(read_chain(written).records) == line - 1


def test_a_damaged_journal_is_not_opened_again_and_not_held(written: Path) -> None:
    change(written, lambda x: x[1:])

    for _ in range(2):
        with pytest.raises(InputError, match="changed after it was written"):
            Journal.reopen(written.parent, Redactor())


@pytest.mark.parametrize("kept", [1, 20, -1])
def test_an_unfinished_last_line_is_no_damage_and_is_cut_off(written: Path, kept: int) -> None:
    change(written, lambda x: [*x[:4], x[4][:kept]])

    assert len(read_intact(written)) == 4
    journal = Journal.reopen(written.parent, Redactor())
    journal.append("resumed")
    journal.close()

    assert [record.kind for record in read_intact(written)] == ["run", "intent", "outcome", "note", "resumed"]


def test_the_journal_of_a_run_killed_before_its_first_record_can_be_opened(tmp_path: Path) -> None:
    Journal.create(tmp_path / "run", Redactor()).close()

    assert Journal.reopen(tmp_path / "run", Redactor()).records == []


def test_a_live_journal_is_not_opened_by_another_process(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "run", Redactor())

    status, output, errors = ended(child("tests.engine.reopening", tmp_path / "run"))
    assert (status, output) == (2, "the run is still going on in another process\n"), errors

    journal.close()
    status, output, errors = ended(child("tests.engine.reopening", tmp_path / "run"))
    assert (status, output) == (0, "opened\n"), errors


def test_a_folder_that_exists_is_not_taken_for_a_new_run(tmp_path: Path) -> None:
    with pytest.raises(RunbookError, match="it was not begun") as caught:
        Journal.create(tmp_path, Redactor())

    assert caught.value.found == "File exists"
    assert caught.value.exit_code == 1


def test_a_missing_journal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="can't be opened"):
        Journal.reopen(tmp_path, Redactor())
    with pytest.raises(InputError, match="can't be read"):
        read_chain(tmp_path / FILE_NAME)


def test_without_space_the_record_is_refused_and_no_half_line_is_left(tmp_path: Path) -> None:
    status, output, errors = ended(child("tests.engine.without_space", tmp_path / "run"))

    path = tmp_path / "run" / FILE_NAME
    assert status == 0, errors
    assert output.splitlines() == ["JournalUnwritable: No space left on device"] * 2, "a second try is refused too"
    assert read_chain(path).torn_bytes == 0
    assert [record.kind for record in read_intact(path)] == ["run", "note"]


def test_a_record_is_on_disk_before_it_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal.create(tmp_path / "run", Redactor())
    seen: list[tuple[int, int, int]] = []
    real = os.fsync

    def watched(descriptor: int) -> None:
        assert stat.S_ISREG(os.fstat(descriptor).st_mode)
        lines = journal.path.read_bytes().count(b"\n")
        real(descriptor)
        seen.append((lines, len(journal.records), os.fstat(descriptor).st_size))

    monkeypatch.setattr(os, "fsync", watched)
    journal.append("run")
    size = journal.path.stat().st_size
    journal.append("note")

    assert seen == [(1, 0, size), (2, 1, journal.path.stat().st_size)]


def test_after_a_failed_sync_nothing_more_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal.create(tmp_path / "run", Redactor())
    journal.append("run")

    def fail(_descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        with pytest.raises(JournalUnwritable, match="Input/output error"):
            journal.append("intent")
    with pytest.raises(JournalUnwritable, match=r"invoke runs\.resume run") as caught:
        journal.append("intent")

    assert caught.value.exit_code == 7
    assert [record.kind for record in read_intact(journal.path)] == ["run"]


def test_a_closed_journal_takes_nothing_even_if_its_descriptor_is_used_again(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "run", Redactor())
    journal.append("run")
    journal.close()
    journal.close()

    with (tmp_path / "other").open("wb"), pytest.raises(JournalUnwritable, match="the journal is closed"):
        journal.append("late")

    assert (tmp_path / "other").read_bytes() == b""


@pytest.mark.parametrize("value", [Path("/tmp"), {1}, b"bytes", datetime.now(UTC), Secret("A", "value"), float("nan")])
def test_what_is_not_json_is_refused_and_nothing_is_written(tmp_path: Path, value: Any) -> None:
    journal = Journal.create(tmp_path / "run", Redactor())

    with pytest.raises((TypeError, ValueError)):
        journal.append("note", value={"deep": [value]})

    journal.append("note", value="fine")
    assert [record.data for record in read_intact(journal.path)] == [{"value": "fine"}]


def test_names_in_any_script_and_undecodable_ones_are_kept(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "läufe-日本", Redactor())
    journal.append("note", path="Übung/日本語/ἔργον", broken=os.fsdecode(b"caf\xe9"))

    (record,) = read_intact(journal.path)
    assert record.data == {"path": "Übung/日本語/ἔργον", "broken": "caf?"}


def test_a_clock_that_goes_back_is_no_damage(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "run", Redactor())
    journal.append("run", now=lambda: datetime(2026, 11, 23, tzinfo=UTC))
    journal.append("note", now=lambda: datetime(2025, 1, 1, tzinfo=UTC))

    assert [record.at.year for record in read_intact(journal.path)] == [2026, 2025]


def test_no_secret_reaches_the_disk(tmp_path: Path) -> None:
    redactor = Redactor()
    journal = Journal.create(tmp_path / "run", redactor)
    redactor.add(Secret("PASSWORD", 'p"ss/wörd-1'))
    journal.append("note", text='said p"ss/wörd-1', deep={'p"ss/wörd-1': ["cCJzcy93w7ZyZC0x"]})

    assert read_intact(journal.path)[0].data == {"text": "said [PASSWORD]", "deep": {"[PASSWORD]": ["[PASSWORD]"]}}
    assert "rd-1" not in journal.path.read_text()


def test_only_the_owner_may_read_it(written: Path) -> None:
    assert stat.S_IMODE(written.stat().st_mode) == 0o600


def test_threads_may_append_at_the_same_time(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "run", Redactor())
    threads = [
        threading.Thread(target=lambda name=name: [journal.append("note", by=name) for _ in range(25)])
        for name in "abcd"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(read_intact(journal.path)) == 100
