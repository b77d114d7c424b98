"""What users and operators feel of releases: requests while they follow each other, and how long going back takes."""

from __future__ import annotations

import json
import time

import pytest

from runbooks.sandbox.layout import Layout
from tests.crash.sandboxes import only_run, succeeds
from tests.deployed import Place, place
from tests.load import under_load

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(1800)]
RATE, SECONDS = 200, 240
RESTORING = ("fetch", "create-sibling", "fill", "prove")
"""The steps of a rollback that take as long as the database is large."""

OWN_SECONDS = 60.0


def test_no_request_fails_while_releases_follow_each_other_and_going_back_takes_a_minute(installed: Layout) -> None:
    with place(installed) as here:
        follow_each_other(here)
        go_back_with_the_data(here)


def follow_each_other(here: Place) -> None:
    """Three deploys, two of them with migrations, and a rollback of the code alone, all under load."""
    times: dict[str, float] = {}
    with under_load(here.shell, rate=RATE, seconds=SECONDS) as measured:
        for ref in ("v2", "v3", "v6"):
            begun = time.monotonic()
            here.deploy(ref)
            times[ref] = time.monotonic() - begun
        begun = time.monotonic()
        succeeds(here.shell, "rollback", "--keep-data")
        times["back to v3, code only"] = time.monotonic() - begun
        found = measured()
    here.is_consistent()

    print(
        f"\nv1 → v2 → v3 → v6 → v3 under {RATE} requests a second over kept connections: {len(found.latencies_ms)}"
        f" requests, {found.failed} failed, p50 {found.latency(50):.0f} ms, p99 {found.latency(99):.0f} ms, worst"
        f" {max(found.latencies_ms):.0f} ms; 99 of 100 sent at most {found.lag_ms:.0f} ms late; "
        + ", ".join(f"{name} {seconds:.0f} s" for name, seconds in times.items())
    )
    assert here.version() == "v3"
    assert found.failures == {}
    assert len(found.latencies_ms) >= RATE * SECONDS * 0.99


def go_back_with_the_data(here: Place) -> None:
    """From ``invoke rollback`` until what it put to work was asked as users ask, and is recorded."""
    begun = time.monotonic()
    succeeds(here.shell, "rollback", "--to", "v2")
    whole = time.monotonic() - begun

    folder = here.shell.project / "var" / "runs" / "local" / only_run(here.shell, "rollback")
    records = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    told = [record["data"] for record in records if record["kind"] == "outcome"]
    restoring = sum(float(each["seconds"]) for each in told if each["step"] in RESTORING)
    slowest = sorted(told, key=lambda each: -float(each["seconds"]))[:5]
    print(
        f"invoke rollback to verified: {whole:.1f} s, of which restoring and proving {restoring:.1f} s; the rest"
        f" {whole - restoring:.1f} s of {OWN_SECONDS:.0f} s allowed; slowest steps: "
        + ", ".join(f"{each['step']} {float(each['seconds']):.1f} s" for each in slowest)
    )
    assert here.version() == "v2"
    here.is_consistent()
    assert whole - restoring <= OWN_SECONDS
