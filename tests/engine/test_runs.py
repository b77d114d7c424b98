from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from runbooks.engine import runs
from runbooks.engine.errors import InputError
from runbooks.engine.journal import FILE_NAME, Journal, read_chain
from runbooks.engine.outcome import Status
from runbooks.engine.redact import Redactor
from tests.engine.toys import write_journal


class Clock(datetime):
    """A clock that a test sets."""

    at = datetime(2026, 11, 23, 5, 2, 12, tzinfo=UTC)

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
        return cls.at


def test_ids_sort_by_the_time_at_which_the_run_began(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "datetime", Clock)
    ids = []
    for year, second in ((2026, 9), (2026, 10), (2027, 0)):
        monkeypatch.setattr(Clock, "at", datetime(year, 11, 23, 5, 2, second, tzinfo=UTC))
        ids.append(runs.new_id("release.verify"))

    assert ids == sorted(ids)
    assert ids[0].startswith("20261123T050209.000Z-release.verify-")


def test_ids_of_the_same_second_differ() -> None:
    assert len({runs.new_id("release.deploy") for _ in range(200)}) >= 199


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("20261122T000000Z-rollback-aaaa", "20261123T000000Z-release.verify-bbbb"):
        write_journal(tmp_path / name, "run", runbook="toy")
    (tmp_path / "not-a-run").mkdir()
    return tmp_path


@pytest.mark.parametrize("wanted", ["latest", "bbbb", "20261123", "20261123T000000Z-release.verify-bbbb"])
def test_a_run_is_found_by_its_id_or_either_end_of_it(root: Path, wanted: str) -> None:
    assert runs.find(root, wanted).name == "20261123T000000Z-release.verify-bbbb"


@pytest.mark.parametrize(
    ("wanted", "answer"), [("cccc", "no run answers"), ("2026112", "several runs answer"), ("", "several runs answer")]
)
def test_what_no_run_or_several_answer_to_is_refused(root: Path, wanted: str, answer: str) -> None:
    with pytest.raises(InputError, match=f"{answer} to {wanted}") as caught:
        runs.find(root, wanted)

    assert "20261122T000000Z-rollback-aaaa, 20261123T000000Z-release.verify-bbbb" in caught.value.found


def test_no_runs_are_no_error_until_one_is_wanted(tmp_path: Path) -> None:
    assert list(runs.folders(tmp_path / "none")) == []
    assert runs.previous(tmp_path / "none") is None
    with pytest.raises(InputError, match="no run answer") as caught:
        runs.find(tmp_path / "none", "latest")
    assert caught.value.found == "no runs yet"


def test_a_new_run_names_the_last_record_of_the_newest_one(root: Path) -> None:
    newest = root / "20261123T000000Z-release.verify-bbbb"

    assert runs.previous(root) == {"run": newest.name, "seq": 1, "hash": read_chain(newest / FILE_NAME).last_hash}


def ended(folder: Path) -> Journal:
    journal = Journal.create(folder, Redactor())
    journal.append("run", runbook="rollback", environment="production", operator="ada@atelier")
    journal.append("end", status="done", exit_code=3, verdict="NO-GO")
    return journal


def test_a_run_that_ended_is_summed_up(tmp_path: Path) -> None:
    journal = ended(tmp_path / "run")
    summary = runs.summary(tmp_path / "run")

    assert (summary.id, summary.runbook, summary.environment) == ("run", "rollback", "production")
    assert (summary.operator, summary.status, summary.verdict, summary.exit_code) == (
        "ada@atelier",
        Status.DONE,
        "NO-GO",
        3,
    )
    assert summary.started == journal.records[0].at


def test_a_run_that_was_resumed_has_not_ended(tmp_path: Path) -> None:
    ended(tmp_path / "run").append("resumed")
    summary = runs.summary(tmp_path / "run")

    assert (summary.status, summary.exit_code, summary.verdict) == (Status.RUNNING, None, "")


def test_a_run_killed_at_once_is_summed_up(tmp_path: Path) -> None:
    Journal.create(tmp_path / "run", Redactor()).close()
    summary = runs.summary(tmp_path / "run")

    assert (summary.runbook, summary.started, summary.status) == ("?", None, Status.INTERRUPTED)


def test_a_damaged_run_is_summed_up_as_far_as_it_holds(tmp_path: Path) -> None:
    path = ended(tmp_path / "run").path
    path.write_bytes(path.read_bytes().replace(b"NO-GO", b"GO"))
    summary = runs.summary(tmp_path / "run")

    assert (summary.runbook, summary.status, summary.exit_code) == ("rollback", Status.DAMAGED, None)


def test_an_end_that_is_not_known_here_needs_a_person(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path / "run", Redactor())
    journal.append("run")
    journal.append("end", status="paused by a later version")

    assert runs.summary(tmp_path / "run").status is Status.NEEDS_PERSON
