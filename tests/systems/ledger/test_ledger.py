"""The ledger keeps what was written, in order, whoever is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runbooks.engine.errors import SystemFault
from runbooks.engine.wait import until
from runbooks.systems.ledger.ledger import REHEARSAL, SAMPLE, Entry, Ledger

COMMIT = "1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e"


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "new" / "folder")

    written = ledger.append(SAMPLE, COMMIT, {"latency_ms": [1.5], "text": "zwei\nZeilen"})

    (read,) = ledger.read().entries
    assert (read.kind, read.release, read.data) == (SAMPLE, COMMIT, {"latency_ms": [1.5], "text": "zwei\nZeilen"})
    assert abs(read.at - written.at) < timedelta(milliseconds=1)
    assert [path.name for path in ledger.folder.iterdir()] == [f"{written.at:%Y%m%d}-{COMMIT[:12]}.jsonl"]


def test_an_empty_ledger_says_nothing(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "missing")

    assert ledger.read().entries == ()
    assert ledger.before(COMMIT) == ()
    assert list(ledger.newest(SAMPLE)) == []


def put(folder: Path, release: str, at: datetime, kind: str = SAMPLE) -> None:
    with (folder / f"{at:%Y%m%d}-{release[:12]}.jsonl").open("ab") as file:
        file.write(Entry(at, kind, release, {}).line())


def test_entries_come_in_the_order_of_their_times(tmp_path: Path) -> None:
    now = datetime(2026, 11, 23, 0, 30, tzinfo=UTC)
    for hours in (0, -2, -1):
        put(tmp_path, "b", now + timedelta(hours=hours))
    put(tmp_path, "a", now - timedelta(minutes=30))
    ledger = Ledger(tmp_path)

    times = [entry.at for entry in ledger.read().entries]

    assert times == sorted(times)
    assert [entry.at.hour for entry in ledger.newest(SAMPLE)] == [0, 0, 23, 22]
    assert [entry.at.hour for entry in ledger.read(now - timedelta(minutes=90)).entries] == [23, 0, 0]


def test_the_release_before_is_the_one_that_was_sampled_last(tmp_path: Path) -> None:
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    put(tmp_path, "oldest", now - timedelta(days=2))
    put(tmp_path, "before", now - timedelta(hours=26))
    put(tmp_path, "before", now - timedelta(hours=2))
    put(tmp_path, "before", now - timedelta(hours=1))
    put(tmp_path, "current", now)

    found = Ledger(tmp_path).before("current")

    assert [(entry.release, entry.at.hour) for entry in found] == [("before", 10), ("before", 11)]


def test_a_torn_last_line_is_named_and_costs_nothing_else(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path)
    ledger.append(SAMPLE, "a", {"n": 1})
    (path,) = tmp_path.iterdir()
    with path.open("ab") as file:
        file.write(b'{"at":"2026-11-23T05:0')

    torn = ledger.read()
    ledger.append(SAMPLE, "a", {"n": 2})
    after = ledger.read()

    assert [entry.data["n"] for entry in torn.entries] == [1]
    assert torn.damage == (f"{path.name}:2 (torn: its writer was killed)",)
    assert [entry.data["n"] for entry in after.entries] == [1, 2]
    assert after.damage == (f"{path.name}:2",)


@pytest.mark.parametrize(
    "line", [b"[]", b'"x"', b'{"at":"now"}', b"\xff\xfe", b'{"at":"2026-11-23T05:00:00","kind":1}']
)
def test_a_line_that_is_no_entry_is_named(line: bytes, tmp_path: Path) -> None:
    (tmp_path / "20261123-a.jsonl").write_bytes(line + b"\n")

    reading = Ledger(tmp_path).read()

    assert (reading.entries, reading.damage) == ((), ("20261123-a.jsonl:1",))


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    def write(number: int) -> None:
        for each in range(20):
            Ledger(tmp_path).append(SAMPLE, "a", {"n": number * 100 + each, "filling": "x" * 5000})

    threads = [threading.Thread(target=write, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    reading = Ledger(tmp_path).read()
    assert reading.damage == ()
    assert sorted(entry.data["n"] for entry in reading.entries) == [n * 100 + e for n in range(4) for e in range(20)]


WRITER = """
import sys
from pathlib import Path
from runbooks.systems.ledger.ledger import Ledger
for number in range(10**9):
    Ledger(Path(sys.argv[1])).append("sample", "a", {"n": number, "filling": "x" * 3000})
    print(number, flush=True)
"""


def test_what_was_said_to_be_written_survives_a_kill(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        until(lambda: len(Ledger(tmp_path).read().entries) > 5, seconds=20, what="nothing was written")
        process.send_signal(signal.SIGKILL)
        said = process.stdout.read().split()

    numbers = [entry.data["n"] for entry in Ledger(tmp_path).read().entries]

    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= len(said)


def test_a_ledger_that_cant_be_written_is_a_fault_that_says_where(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(SystemFault, match="ledger can't be used") as caught:
        Ledger(tmp_path / "file").append(REHEARSAL, "", {})

    assert str(tmp_path) in caught.value.where
