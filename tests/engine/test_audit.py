from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runbooks.engine.audit import ANCHORS, LOG, audit, put_anchor
from runbooks.engine.errors import InputError
from runbooks.engine.journal import FILE_NAME, ORIGIN, Journal, Record, read_chain
from runbooks.engine.redact import Redactor
from runbooks.engine.runs import previous
from runbooks.systems.store.folder import FolderStore


class History:
    """Runs of an environment, and the store that vouches for them."""

    def __init__(self, place: Path) -> None:
        self.root = place / "runs"
        self.store = FolderStore(place / "store")

    def begin(self, run: str) -> Journal:
        journal = Journal.create(self.root / run, Redactor())
        journal.append("run", run=run, previous=previous(self.root))
        return journal

    def end(self, journal: Journal, *, anchored: bool = True) -> None:
        journal.append("outcome", step="one", outcome="ok")
        record = journal.append("end", status="done")
        journal.close()
        folder = journal.path.parent
        (folder / LOG).write_text(f"the log of {folder.name}")
        if anchored:
            put_anchor(self.store, folder.name, record, (folder / LOG).read_bytes())

    def journal(self, run: str) -> Path:
        return self.root / run / FILE_NAME

    def damage(self) -> list[tuple[str, str, str]]:
        return [(found.run, found.where, found.found) for found in audit(self.root, self.store)[1]]


@pytest.fixture
def history(tmp_path: Path) -> History:
    """Three runs; the second was killed between its end and its anchor."""
    history = History(tmp_path)
    for run, anchored in (("1-one", True), ("2-two", False), ("3-three", True)):
        history.end(history.begin(run), anchored=anchored)
    return history


def lines(history: History, run: str, edit: Callable[[list[bytes]], list[bytes]]) -> None:
    path = history.journal(run)
    path.write_bytes(b"".join(edit(path.read_bytes().splitlines(keepends=True))))


def rewrite(history: History, run: str, **changed: Any) -> None:
    """Write the journal anew with other data in its second record, each hash in order."""
    rewritten: list[Record] = []
    for record in read_chain(history.journal(run)).records:
        data = {**record.data, **changed} if record.seq == 2 else record.data
        prev = rewritten[-1].hash if rewritten else ORIGIN
        draft = replace(record, data=data, prev=prev)
        rewritten.append(replace(draft, hash=draft.expected_hash()))
    history.journal(run).write_bytes(b"".join(record.line() for record in rewritten))
    assert read_chain(history.journal(run)).break_line is None


def test_a_history_that_nobody_touched_is_clean(history: History) -> None:
    assert audit(history.root, history.store) == (3, [])


def test_no_history_is_clean(tmp_path: Path) -> None:
    assert audit(tmp_path / "none", FolderStore(tmp_path / "store")) == (0, [])


@pytest.mark.parametrize("run", ["1-one", "2-two", "3-three"])
def test_an_edit_is_found_in_its_line(history: History, run: str) -> None:
    lines(history, run, lambda x: [x[0], x[1].replace(b'"ok"', b'"no"'), x[2]])

    assert history.damage() == [(run, f"{FILE_NAME}:2", "record 2 was edited: its hash does not match")]


@pytest.mark.parametrize(
    ("run", "witness"), [("1-one", "the anchor in the store"), ("2-two", "run 3-three, which began after it")]
)
def test_a_cut_tail_is_found(history: History, run: str, witness: str) -> None:
    lines(history, run, lambda x: x[:1])

    assert (run, FILE_NAME, f"cut after record 1; {witness} knows 3") in history.damage()


@pytest.mark.parametrize("run", ["1-one", "2-two", "3-three"])
def test_an_emptied_journal_is_found(history: History, run: str) -> None:
    history.journal(run).write_bytes(b"")

    assert {found[0] for found in history.damage()} == {run}


@pytest.mark.parametrize("run", ["1-one", "2-two", "3-three"])
def test_a_chain_that_was_written_anew_is_found(history: History, run: str) -> None:
    rewrite(history, run, outcome="changed")

    assert {(found[0], found[1]) for found in history.damage()} == {(run, f"{FILE_NAME}:3")}


@pytest.mark.parametrize("run", ["1-one", "2-two", "3-three"])
def test_a_run_that_was_removed_is_found(history: History, run: str) -> None:
    shutil.rmtree(history.root / run)

    assert {found[0] for found in history.damage()} == {run}
    assert all("missing" in found[2] for found in history.damage())


def test_an_edited_log_is_found(history: History) -> None:
    (history.root / "3-three" / LOG).write_text("all was well")

    assert history.damage() == [("3-three", LOG, "the run log was edited: it is not the one that the run wrote")]


def test_a_removed_log_is_found(history: History) -> None:
    (history.root / "3-three" / LOG).unlink()

    (found,) = history.damage()
    assert found[:2] == ("3-three", LOG)
    assert "missing" in found[2]


def test_records_added_after_the_end_are_found(history: History) -> None:
    journal = Journal.reopen(history.root / "3-three", Redactor())
    journal.append("note", text="it was agreed")
    journal.close()
    (history.root / "3-three" / LOG).write_text("it was agreed")

    assert history.damage() == [
        ("3-three", f"{FILE_NAME}:4", "added after the run had ended, without its being resumed")
    ]


def test_a_run_that_is_resumed_goes_on_and_replaces_its_anchor(history: History) -> None:
    journal = Journal.reopen(history.root / "1-one", Redactor())
    journal.append("resumed")
    assert history.damage() == []
    history.end(journal)

    assert history.damage() == []
    stored = history.store.get(f"{ANCHORS}1-one.json")
    assert stored is not None
    assert json.loads(stored.body)["seq"] == 6


def test_a_journal_in_another_runs_folder_is_found(history: History) -> None:
    shutil.copytree(history.root / "2-two", history.root / "4-four")

    assert history.damage() == [("4-four", f"{FILE_NAME}:1", "the journal of another run: 2-two")]


def test_two_runs_at_the_same_time_are_no_damage(history: History) -> None:
    first, second = history.begin("4-four"), history.begin("5-five")
    third = history.begin("6-six")
    history.end(first)
    assert history.damage() == []
    history.end(third)
    history.end(second)

    assert audit(history.root, history.store) == (6, [])


@pytest.mark.parametrize("left", [0, 10])
def test_a_run_killed_before_its_first_record_is_no_damage(history: History, left: int) -> None:
    journal = history.begin("4-four")
    journal.close()
    lines(history, "4-four", lambda x: [x[0][:left]])

    assert history.damage() == []
    before = previous(history.root)
    assert before is not None
    assert before["run"] == "3-three"


def test_a_run_begun_by_a_clock_that_went_back_is_no_damage(history: History) -> None:
    history.end(history.begin("0-zero"))
    history.end(history.begin("4-four"))

    assert history.damage() == []


@pytest.mark.parametrize("before", [{"run": "1-one"}, {"run": "1-one", "seq": 0, "hash": "x"}, {"seq": "many"}])
def test_a_header_that_names_nothing_readable_is_damage_and_no_crash(history: History, before: Any) -> None:
    journal = Journal.create(history.root / "4-four", Redactor())
    journal.append("run", run="4-four", previous=before)
    journal.close()

    assert history.damage() == [("4-four", f"{FILE_NAME}:1", "what it says of the run before it can't be read")]


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"run": "1-one", "seq": 0, "hash": "", "log": ""}'])
def test_a_damaged_anchor_is_named(history: History, body: bytes) -> None:
    (history.store.folder / ANCHORS / "1-one.json").write_bytes(body)

    with pytest.raises(InputError, match="an anchor in the store is damaged") as caught:
        audit(history.root, history.store)
    assert "runs/1-one.json in folder" in caught.value.where
