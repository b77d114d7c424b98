"""The switch of databases, as clients feel it: how long each of them gets no answer."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbooks import project
from runbooks.engine.percentile import percentile
from runbooks.sandbox.world import Sandbox
from tests.conftest import CHECKOUT
from tests.plain_vaults import PlainVault, plain_vault

pytestmark = pytest.mark.benchmark
CLIENTS = int(os.environ.get("SWITCH_CLIENTS", "20"))
SWITCHES = int(os.environ.get("BENCHMARK_ROUNDS", "5"))
TARGET = 1.0


@pytest.fixture
def vault(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PlainVault]:
    monkeypatch.setenv(project.VARIABLE, str(tmp_path))
    with plain_vault(sandbox, tmp_path) as made:
        yield made


@contextlib.contextmanager
def clients(url: str, gaps: list[float]) -> Iterator[None]:
    """Clients are at work, in a process of their own; at the end, how long each had no answer at most is added."""
    command = [sys.executable, "-m", "tests.reconnecting", str(CLIENTS), url]
    with subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield
        said, _ = process.communicate()
        gaps += json.loads(said)


def test_gap_for_clients_that_reconnect(vault: PlainVault) -> None:
    vault.create()
    gaps: list[float] = []
    for _ in range(SWITCHES):
        with clients(vault.owner_url, gaps):
            vault.switch()

    median, p99 = (percentile(gaps, share) for share in (50, 99))
    load = os.getloadavg()[0]
    print(
        f"\nswitch: {SWITCHES} times {CLIENTS} clients, longest time without an answer: median {median:.2f} s,"
        f" p99 {p99:.2f} s, worst {max(gaps):.2f} s; target p99 below {TARGET:.0f} s; load {load:.1f}"
    )
