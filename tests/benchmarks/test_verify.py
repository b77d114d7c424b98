"""``release.verify`` of all checks on a warm sandbox, beside what it can't be faster than; and the very first run."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from runbooks import project
from runbooks.checks.registry import known
from runbooks.engine.journal import Record, read_intact
from runbooks.sandbox.leftovers import leftovers
from runbooks.sandbox.world import Sandbox
from tests.benchmarks import chain
from tests.benchmarks.cases import ROUNDS, clean
from tests.benchmarks.paired import seconds
from tests.checks.verifying import ailing
from tests.conftest import CHECKOUT, Shell, new_project

VERIFY = [sys.executable, "-m", "invoke", "release.verify"]
TARGET = 1.3
MOST_SECONDS = 30


@dataclass(frozen=True)
class Round:
    """One verification, in seconds. ``own`` and ``sandbox`` are of CPU; ``start`` is what came before the run."""

    process: float
    run: float
    chain: float
    own: float
    sandbox: float
    start_cpu: float

    @property
    def cpu(self) -> float:
        """CPU of the whole process and what it asked, spread over all cores."""
        return (self.own + self.sandbox) / (os.cpu_count() or 1)

    @property
    def run_cpu(self) -> float:
        """The same without the process's own before the first record."""
        return (self.own - self.start_cpu + self.sandbox) / (os.cpu_count() or 1)


@pytest.mark.benchmark
@pytest.mark.timeout(900)
def test_a_warm_verification(sandbox_shell: Shell, home: Path) -> None:
    sandbox = Sandbox.of(sandbox_shell.project)
    rounds = []
    for number in range(ROUNDS + 1):
        sandbox.forget_rate_limits()
        taken = verified(sandbox, sandbox_shell.project, home)
        if number:  # the first one warms up
            rounds.append(taken)

    print(report(rounds))


def verified(sandbox: Sandbox, folder: Path, home: Path) -> Round:
    """Verify once; every check must have passed."""
    runs = folder / "var" / "runs" / "local"
    before = {path.name for path in runs.glob("*")}
    spent = cpu_of(sandbox)
    began = time.monotonic()
    process = subprocess.Popen(
        VERIFY,
        cwd=CHECKOUT,
        env={**clean(home), project.VARIABLE: str(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    start_cpu = cpu_until_the_run_begins(process, runs, before)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    spent = cpu_of(sandbox) - spent
    assert process.returncode == 0
    (run,) = {path.name for path in runs.glob("*")} - before
    records = read_intact(runs / run / "journal.jsonl")
    checks = {record.data["id"]: dict(record.data) for record in records if record.kind == "check"}
    assert checks.keys() == known().keys()
    assert ailing(checks) == {}
    return Round(
        process=wall,
        run=chain.span(records),
        chain=chain.longest(records, {name: (*check.depends_on, *check.after) for name, check in known().items()}),
        own=usage.ru_utime + usage.ru_stime,
        sandbox=spent,
        start_cpu=start_cpu,
    )


def cpu_until_the_run_begins(process: subprocess.Popen[bytes], runs: Path, before: set[str]) -> float:
    """CPU seconds that the process has used when its run's folder appears."""
    me = psutil.Process(process.pid)
    while me.status() != psutil.STATUS_ZOMBIE:
        if {path.name for path in runs.glob("*")} - before:
            break
        time.sleep(0.005)
    times = me.cpu_times()
    return float(times.user + times.system)


def cpu_of(sandbox: Sandbox) -> float:
    """CPU seconds of the sandbox's processes, of their ended children too."""
    total = 0.0
    for process in leftovers(sandbox.layout):
        times = process.cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
    return total


def report(rounds: Sequence[Round]) -> str:
    def line(name: str, values: Sequence[float], ratios: Sequence[float] = ()) -> str:
        cells = [name, seconds(statistics.median(values)), "", "", ""]
        if ratios:
            found = statistics.median(ratios)
            cells[2:] = [f"{found:.2f}", f"≤ {TARGET}", "yes" if found <= TARGET else "NO"]
        return "| " + " | ".join(cells) + " |"

    warm = statistics.median(r.process for r in rounds)
    lines = [
        "\n\n**Warm `release.verify`**",
        "",
        "| what | median | median of wall / max(chain, CPU / cores) | target | met? |",
        "|---|---|---|---|---|",
        f"| the process | {seconds(warm)} | | ≤ {MOST_SECONDS} s | {'yes' if warm <= MOST_SECONDS else 'NO'} |",
        line("the process", [r.process for r in rounds], [r.process / max(r.chain, r.cpu) for r in rounds]),
        line(
            "the run, first record to last", [r.run for r in rounds], [r.run / max(r.chain, r.run_cpu) for r in rounds]
        ),
        line("longest chain of steps and checks", [r.chain for r in rounds]),
        line(f"CPU / {os.cpu_count()} cores, process and sandbox", [r.cpu for r in rounds]),
        line(f"CPU / {os.cpu_count()} cores without the start", [r.run_cpu for r in rounds]),
        line("CPU of the process", [r.own for r in rounds]),
        line("CPU of the process before its run", [r.start_cpu for r in rounds]),
        line("CPU of the sandbox", [r.sandbox for r in rounds]),
    ]
    return "\n".join([*lines, "", f"{len(rounds)} rounds, load {os.getloadavg()[0]:.1f}"])


@pytest.fixture
def fresh_project() -> Iterator[Shell]:
    """A project in which nothing was ever started; what runs in the end is stopped."""
    folder = Path(tempfile.mkdtemp(prefix="runbooks-"))
    folder.chmod(0o755)
    shell = new_project(folder)
    yield shell
    down = shell.invoke("sandbox.down")
    assert down.returncode == 0, down.stdout + down.stderr
    shutil.rmtree(folder)


@pytest.mark.benchmark
@pytest.mark.timeout(600)
def test_the_first_verification_ever(fresh_project: Shell, home: Path) -> None:
    began = time.monotonic()
    done = subprocess.run(
        VERIFY,
        cwd=CHECKOUT,
        env={**clean(home), project.VARIABLE: str(fresh_project.project)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    wall = time.monotonic() - began

    assert done.returncode == 0, done.stdout + done.stderr
    runs = fresh_project.project / "var" / "runs" / "local"
    (started,) = runs.glob("*-sandbox.up-*/journal.jsonl")
    (verified,) = runs.glob("*-release.verify-*/journal.jsonl")
    print("\n\n**First verification, nothing started before**\n")
    print("| what | wall | target | met? |\n|---|---|---|---|")
    print(f"| the process | {seconds(wall)} | ≤ 60 s | {'yes' if wall <= 60 else 'NO'} |")
    print(f"| of it: starting the sandbox | {seconds(chain.span(read_intact(started)))} | | |")
    for name, taken in steps(read_intact(started)):
        print(f"| – {name} | {seconds(taken)} | | |")
    print(f"| of it: the verification | {seconds(chain.span(read_intact(verified)))} | | |")


def steps(records: Sequence[Record]) -> list[tuple[str, float]]:
    """Each step and its seconds."""
    return [(record.data["step"], record.data["seconds"]) for record in records if record.kind == "outcome"]
