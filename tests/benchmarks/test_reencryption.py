"""A million users' keys under a new ENCRYPTION_KEY, against decrypting and encrypting the same tokens alone.

CPU is counted, that of our processes and that of the server together: each side keeps all cores busy, so on a quiet
machine the ratio of the times is the same, and on a busy one only this can be measured.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import psutil
import pytest
from cryptography.fernet import Fernet

from runbooks.steps.reencryption import BATCH
from tests.benchmarks.databases import Bench, benched
from tests.benchmarks.paired import Row, table
from tests.keyrings import Keyring, keyring

ROWS = int(os.environ.get("REENCRYPTED_ROWS", "1000000"))
ROUNDS = int(os.environ.get("REENCRYPTION_ROUNDS", "3"))
BARE, BATCHES = "decrypt and encrypt, bare", "batches, each row proven"
SWAP, ALL = "the swap", "batches and swap"


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
def test_a_million_rows_are_encrypted_anew() -> None:
    with benched() as bench:
        rounds = [_one_round(bench) for _ in range(ROUNDS)]
    seconds = {case: [each[case] for each in rounds] for case in (BARE, BATCHES, SWAP, ALL)}
    rows = [
        Row(case=BARE),
        Row(case=BATCHES, against=BARE, at_most=1.8),
        Row(case=SWAP, against=BARE),
        Row(case=ALL, against=BARE, at_most=1.8),
    ]
    print(f"\n{table(f'A new ENCRYPTION_KEY for {ROWS} rows, CPU of client and server', rows, seconds)}")


def _one_round(bench: Bench) -> dict[str, float]:
    """CPU seconds by case."""

    def measured(act: Callable[..., object], *arguments: object) -> float:
        before = _cpu(bench.postmaster)
        act(*arguments)
        return _cpu(bench.postmaster) - before

    with keyring(bench.sandbox) as ring:
        ring.fill(ROWS)
        ours = ring.reencryption(jobs=len(os.sched_getaffinity(0)), batch=BATCH)
        batches = measured(ours.encrypt, threading.Event())
        tokens = [str(token) for (token,) in ring.execute("SELECT encrypted_api_key FROM user_api_config")]
        bare, swap = measured(_bare, ring, tokens), measured(ours.swap)
        assert ours.survey().new == ROWS
    return {BARE: bare, BATCHES: batches, SWAP: swap, ALL: batches + swap}


def _bare(ring: Keyring, tokens: list[str]) -> None:
    old, new = Fernet(ring.old), Fernet(ring.new)
    for token in tokens:
        new.encrypt(old.decrypt(token))


def _cpu(postmaster: psutil.Process) -> float:
    """CPU seconds of this process, its children that have ended, and the server with its sessions."""
    own = os.times()
    times = [postmaster.cpu_times(), *(child.cpu_times() for child in postmaster.children())]
    ended = times[0].children_user + times[0].children_system
    return sum(own[:4]) + ended + sum(each.user + each.system for each in times)
