"""Whole processes, timed from start to end in interleaved rounds, each held to having done its work."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.paired import Row, rotated, table
from tests.conftest import CHECKOUT

ROUNDS = int(os.environ.get("BENCHMARK_ROUNDS", "5"))
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A command to time.

    Attributes:
        environment: All of its variables, beside those of `clean`.
        shows: Must be in what it prints.
        rounds: How many rounds a slow one takes part in.
        warm_up: Run once before, not timed.
    """

    name: str
    argv: Sequence[str | Path]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    shows: str = ""
    exit_code: int = 0
    rounds: int | None = None
    warm_up: bool = True


@dataclass(frozen=True)
class Sample:
    """One process: seconds from start to end, and of CPU, also of the children that it waited for."""

    wall: float
    cpu: float
    printed: str


def clean(home: Path) -> dict[str, str]:
    """Variables that are the same for everybody: compiled modules are kept, nobody's settings are read."""
    return {
        "PATH": PATH,
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TERM": "dumb",
        "NO_COLOR": "1",
        "PYTHONPATH": str(CHECKOUT),
    }


def run(case: Case, home: Path, *, limit: float = 600) -> Sample:
    """Run it once; an AssertionError says that it did not do its work."""
    with tempfile.TemporaryFile() as output:
        began = time.monotonic()
        process = subprocess.Popen(
            [str(word) for word in case.argv],
            cwd=case.folder,
            env={**clean(home), **case.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        end = threading.Timer(limit, process.kill)
        end.start()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        end.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        printed = output.read().decode(errors="replace")
    assert process.returncode == case.exit_code, f"{case.name}: exit {process.returncode}\n{printed[-2000:]}"
    assert case.shows in printed, f"{case.name} did not print {case.shows!r}:\n{printed[-2000:]}"
    return Sample(wall, usage.ru_utime + usage.ru_stime, printed)


def compare(title: str, cases: Sequence[Case], rows: Sequence[Row], home: Path) -> None:
    """Time the cases in interleaved rounds and print the table."""
    walls: dict[str, list[float | None]] = {case.name: [] for case in cases}
    for case in cases:
        if case.warm_up:
            run(case, home)
    for number in range(ROUNDS):
        for case in rotated(cases, number):
            taken = case.rounds is None or number < case.rounds
            walls[case.name].append(run(case, home).wall if taken else None)
    load = os.getloadavg()[0]
    print(f"\n\n{table(title, rows, walls)}\n\n{ROUNDS} rounds, load {load:.1f} on {os.cpu_count()} cores")
