"""P2: a run of one step, with its journal and its log written."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from runbooks import project
from runbooks.engine.journal import read_intact
from tests.benchmarks.cases import Case, compare
from tests.benchmarks.paired import Row
from tests.benchmarks.peers import ansible_variables, peer
from tests.conftest import new_project

PROJECTS = Path(__file__).parent / "projects"
INVOKE = [sys.executable, "-m", "invoke"]


@pytest.mark.benchmark
@pytest.mark.timeout(900)
def test_one_local_step(home: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    whole = new_project(tmp_path / "project").project
    cases = [
        Case(
            name="a runbook of one step",
            argv=[*INVOKE, "engine"],
            folder=PROJECTS / "one_step",
            environment={"ONE_STEP_RUNS": str(runs)},
            shows="log.md",
        ),
        Case(
            name="the same as a whole command",
            argv=[*INVOKE, "command"],
            folder=PROJECTS / "one_step",
            environment={project.VARIABLE: str(whole)},
            shows="Run true",
        ),
        Case(name="invoke, one run()", argv=[*INVOKE, "noop"], folder=PROJECTS / "one_command"),
    ]
    if ansible := peer("ansible"):
        cases.append(
            Case(
                name="ansible-playbook, one task",
                argv=[ansible.command("ansible-playbook"), ansible.scripts / "ansible" / "noop.yml"],
                folder=tmp_path,
                environment=ansible_variables(ansible),
                shows="ok=1",
            )
        )
    if pyinfra := peer("pyinfra"):
        cases.append(
            Case(
                name="pyinfra @local, one operation",
                argv=[pyinfra.command("pyinfra"), "-y", "@local", pyinfra.scripts / "pyinfra" / "commands.py"],
                folder=tmp_path,
                environment={"N": "1"},
                shows="step 0",
            )
        )
    ours = "a runbook of one step"
    rows = [
        Row(case=ours, against="invoke, one run()", at_most=1.5),
        Row(case="the same as a whole command", against="invoke, one run()"),
        Row(case="invoke, one run()"),
        Row(case="ansible-playbook, one task", against=ours, at_least=4.5),
        Row(case="pyinfra @local, one operation", against=ours, at_least=2),
    ]

    compare("P2: one local step", cases, rows, home)

    journals = [*runs.glob("*/*/journal.jsonl"), *whole.glob("var/runs/local/*/journal.jsonl")]
    assert len(journals) > 2
    for journal in journals:
        outcomes = [record.data["outcome"] for record in read_intact(journal) if record.kind == "outcome"]
        assert outcomes == ["ok"]
        assert "Run true" in (journal.parent / "log.md").read_text()
