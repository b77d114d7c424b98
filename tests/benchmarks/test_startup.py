"""P1: what an operator waits for before anything is shown."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.benchmarks.cases import Case, compare
from tests.benchmarks.paired import Row
from tests.benchmarks.peers import peer
from tests.conftest import CHECKOUT

INVOKE = [sys.executable, "-m", "invoke"]


@pytest.mark.benchmark
@pytest.mark.timeout(600)
def test_start_up(home: Path) -> None:
    empty = Path(__file__).parent / "projects" / "empty"
    cases = [
        Case(name="invoke --list", argv=[*INVOKE, "--list"], folder=CHECKOUT, shows="release.verify"),
        Case(
            name="invoke --help release.verify",
            argv=[*INVOKE, "--help", "release.verify"],
            folder=CHECKOUT,
            shows="--no-spend",
        ),
        Case(
            name="invoke --list, empty project",
            argv=[*INVOKE, "--list"],
            folder=empty,
            exit_code=1,
            shows="No tasks found",
        ),
    ]
    for name in ("ansible", "pyinfra"):
        if other := peer(name):
            version: list[str | Path] = [other.command(name), "--version"]
            cases.append(Case(name=f"{name} --version", argv=version, folder=empty, shows=name))
    reference = "invoke --list, empty project"
    rows = [
        Row(case="invoke --list", against=reference, at_most=1.3),
        Row(case="invoke --help release.verify", against=reference, at_most=1.3),
        Row(case=reference),
        Row(case="ansible --version", against="invoke --list", at_least=2.5),
        Row(case="pyinfra --version", against="invoke --list", at_least=2.5),
    ]

    compare("P1: start-up", cases, rows, home)
