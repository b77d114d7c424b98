"""The switch of databases, as clients feel it: how long each of them gets no answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbooks import project
from runbooks.engine.percentile import percentile
from runbooks.sandbox.world import Sandbox
from tests.plain_vaults import PlainVault, plain_vault
from tests.test_switch import clients

pytestmark = pytest.mark.benchmark
CLIENTS, SWITCHES = 20, 5
TARGET = 1.0


@pytest.fixture
def vault(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PlainVault]:
    monkeypatch.setenv(project.VARIABLE, str(tmp_path))
    with plain_vault(sandbox, tmp_path) as made:
        yield made


def test_gap_for_clients_that_reconnect(vault: PlainVault) -> None:
    vault.create()
    gaps: list[float] = []
    for _ in range(SWITCHES):
        with clients(vault, CLIENTS) as made:
            vault.switch()
            threading.Event().wait(1)
        gaps += [client.longest for client in made]

    median, p99 = (percentile(gaps, share) for share in (50, 99))
    print(
        f"\nswitch: {SWITCHES} times {CLIENTS} clients, longest time without an answer: median {median:.2f} s,"
        f" p99 {p99:.2f} s, worst {max(gaps):.2f} s; target p99 below {TARGET:.0f} s"
    )
