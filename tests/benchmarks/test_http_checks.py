"""P6: 60 checks of an endpoint that takes 100 ms."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.benchmarks.cases import Case, compare
from tests.benchmarks.conftest import PROGRAMS
from tests.benchmarks.paired import Row
from tests.benchmarks.peers import ansible_variables, peer


@pytest.mark.benchmark
@pytest.mark.timeout(1800)
def test_sixty_http_checks(home: Path, endpoint: int, tmp_path: Path) -> None:
    program = PROGRAMS / "sixty_requests.py"
    ours, sequential, raw = "ours: ask_all, 20 at a time", "httpx, one by one", "asyncio and httpx, 20 at a time"
    cases = [
        Case(name=name, argv=[sys.executable, program, how, str(endpoint)], folder=tmp_path, shows="60 requests ok")
        for name, how in ((ours, "ours"), (sequential, "sequential"), (raw, "async"))
    ]
    if ansible := peer("ansible"):
        playbook = ansible.scripts / "ansible" / "uri.yml"
        cases.append(
            Case(
                name="ansible uri loop",
                argv=[ansible.command("ansible-playbook"), playbook, "-e", f"http_port={endpoint}"],
                folder=tmp_path,
                environment=ansible_variables(ansible),
                shows="failed=0",
                rounds=1,
                warm_up=False,
            )
        )
    rows = [
        Row(case=ours, against=raw, at_most=2),
        Row(case=raw),
        Row(case=sequential, against=ours, at_least=6),
        Row(case="ansible uri loop", against=ours, at_least=50),
    ]

    compare("P6: 60 checks of 100 ms", cases, rows, home)
