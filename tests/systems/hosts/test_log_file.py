"""A log file is read from a place or a moment on, within bounds, and across its rotation."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.hosts import log_file
from runbooks.systems.hosts.log_file import LogFile
from runbooks.systems.hosts.runner import Done, Local
from runbooks.systems.platform.port import Log
from tests.systems.hosts.recorded import Recorded

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "application.log"


@pytest.fixture
def log(path: Path) -> LogFile:
    return LogFile(Local(), str(path), lambda: UTC)


def texts(found: Log) -> list[str]:
    return [line.text for line in found.lines]


def append(path: Path, *lines: str) -> None:
    with path.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


def test_what_was_written_after_a_mark_is_read_and_nothing_before(path: Path, log: LogFile) -> None:
    append(path, "before")
    mark = log.end()
    append(path, "after", "later")

    found = log.after(mark)

    assert (texts(found), found.complete) == (["after", "later"], True)


def test_a_rotation_in_between_loses_nothing(path: Path, log: LogFile) -> None:
    append(path, "before")
    mark = log.end()
    append(path, "after")
    path.rename(f"{path}.1")
    append(path, "new file")

    found = log.after(mark)

    assert (texts(found), found.complete) == (["after", "new file"], True)


def test_after_two_rotations_it_says_that_something_is_missing(path: Path, log: LogFile) -> None:
    append(path, "before")
    mark = log.end()
    path.rename(f"{path}.2")
    append(Path(f"{path}.1"), "between")
    append(path, "new file")

    found = log.after(mark)

    assert (texts(found), found.complete) == (["new file"], False)


def test_a_file_that_was_emptied_is_read_from_its_beginning(path: Path, log: LogFile) -> None:
    append(path, "a long line before")
    mark = log.end()
    path.write_text("short\n")

    assert texts(log.after(mark)) == ["short"]


def test_from_a_moment_on_the_backup_is_read_too(path: Path, log: LogFile) -> None:
    append(Path(f"{path}.1"), "2026-11-23 11:00:00,000 old", "2026-11-23 12:00:01,000 start")
    append(path, "2026-11-23 12:00:02,000 now")

    found = log.since(NOON)

    assert [text.split()[-1] for text in texts(found)] == ["start", "now"]
    assert found.complete


def test_a_start_that_was_rotated_away_makes_the_log_incomplete(path: Path, log: LogFile) -> None:
    append(Path(f"{path}.1"), "2026-11-23 12:00:01,000 later than the start")
    append(path, "2026-11-23 12:00:02,000 now")

    assert not log.since(NOON).complete


def test_no_more_is_read_than_the_bound(path: Path, log: LogFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "MOST", 64)
    append(path, *(f"2026-11-23 12:00:{second:02},000 line" for second in range(10)))

    found = log.since(NOON)

    assert [text[17:19] for text in texts(found)] == ["08", "09"]
    assert not found.complete


def test_a_log_that_is_not_there_or_not_ours_is_a_fault_with_its_reason(path: Path, log: LogFile) -> None:
    with pytest.raises(SystemFault) as missing:
        log.end()
    denied = Recorded({"stat": Done(1, b"", "stat: cannot statx '/log': Permission denied")})
    with pytest.raises(SystemFault) as refused:
        LogFile(denied, "/log", lambda: UTC).end()

    assert (missing.value.reason, refused.value.reason) == (Reason.UNREACHABLE, Reason.UNAUTHORISED)
    assert "on web-1" in refused.value.where
