"""P3: 100 local checks, the whole process."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.benchmarks.cases import Case, compare
from tests.benchmarks.conftest import PROGRAMS
from tests.benchmarks.paired import Row
from tests.benchmarks.peers import ansible_variables, peer


@pytest.mark.benchmark
@pytest.mark.timeout(1800)
def test_hundred_local_checks(home: Path, endpoint: int, tmp_path: Path) -> None:
    files = tmp_path / "small" / "d00"
    files.mkdir(parents=True)
    for number in range(25):
        (files / f"f{number:04}.txt").write_text("something")
    program = PROGRAMS / "hundred_checks.py"
    variables = {"DATA": str(tmp_path), "HTTP_PORT": str(endpoint)}
    cases = [
        Case(
            name=name,
            argv=[sys.executable, program, how, files, str(endpoint)],
            folder=tmp_path,
            shows="100 checks ok",
        )
        for name, how in (("ours: ask_all", "ours"), ("floor: bare Python", "floor"))
    ]
    if ansible := peer("ansible"):
        playbook: list[str | Path] = [ansible.command("ansible-playbook"), ansible.scripts / "ansible" / "checks.yml"]
        playbook += ["-e", f"data={tmp_path}", "-e", f"http_port={endpoint}"]
        cases += [
            Case(
                name="ansible loops",
                argv=[*playbook, "-e", "per_kind=10"],
                folder=tmp_path,
                environment=ansible_variables(ansible),
                shows="failed=0",
                rounds=2,
                warm_up=False,
            ),
            Case(
                name="ansible loops, mitogen",
                argv=playbook,
                folder=tmp_path,
                environment=ansible_variables(ansible, mitogen=True),
                shows="failed=0",
                rounds=2,
                warm_up=False,
            ),
        ]
    curl = shutil.which("curl") is not None
    if not curl:
        print("\npyinfra and testinfra are left out: they ask HTTP with curl, which is not installed")
    if curl and (pyinfra := peer("pyinfra")):
        script = pyinfra.scripts / "pyinfra" / "checks.py"
        facts: list[str | Path] = [pyinfra.command("pyinfra"), "-y", "@local", script]
        cases.append(
            Case(
                name="pyinfra facts",
                argv=facts,
                folder=tmp_path,
                environment=variables,
                shows="100 checks ok",
                rounds=3,
            )
        )
    if curl and (testinfra := peer("testinfra")):
        script = testinfra.scripts / "testinfra" / "test_checks.py"
        tests: list[str | Path] = [
            testinfra.command("pytest"),
            "-q",
            "-p",
            "no:cacheprovider",
            "--hosts=local://",
            script,
        ]
        cases.append(Case(name="testinfra", argv=tests, folder=tmp_path, environment=variables, shows="100 passed"))
    ours = "ours: ask_all"
    rows = [
        Row(case=ours, against="floor: bare Python", at_most=6, units=100),
        Row(case="floor: bare Python", units=100),
        Row(case="ansible loops", against=ours, at_least=30, units=40),
        Row(case="ansible loops, mitogen", against=ours, at_least=8, units=100),
        Row(case="pyinfra facts", against=ours, at_least=5, units=100),
        Row(case="testinfra", against=ours, at_least=2, units=100),
    ]

    compare("P3: 100 local checks", cases, rows, home)
