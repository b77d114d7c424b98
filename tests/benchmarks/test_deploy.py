"""Requests that arrive at 200 a second, over kept connections, while two releases follow each other."""

from __future__ import annotations

import pytest

from runbooks.sandbox.layout import Layout
from tests.deployed import place
from tests.load import under_load

RATE, SECONDS = 200, 180


@pytest.mark.benchmark
@pytest.mark.timeout(1200)
def test_no_request_fails_while_releases_follow_each_other(installed: Layout) -> None:
    with place(installed) as here:
        with under_load(here.shell, rate=RATE, seconds=SECONDS) as measured:
            here.deploy("v2")
            here.deploy("v3")
            found = measured()
        here.is_consistent()

    print(
        f"\nv1 → v2 → v3 under {RATE} requests a second: {len(found.latencies_ms)} requests, {found.failed} failed,"
        f" p50 {found.latency(50):.0f} ms, p99 {found.latency(99):.0f} ms; sent at most {found.lag_ms:.0f} ms late"
    )
    assert found.failures == {}
    assert len(found.latencies_ms) >= RATE * SECONDS * 0.99
