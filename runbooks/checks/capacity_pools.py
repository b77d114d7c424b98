"""Whether the connection pools suit the load: large enough for what is expected, not far larger than what is used."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from runbooks.checks.declare import check
from runbooks.checks.gate import gate
from runbooks.checks.sampling import known, processes, provisioned
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Phase, Severity, failed, passed, skipped, unknown
from runbooks.systems.ledger.ledger import SAMPLE

TEN_TIMES = 10
A_DAY = timedelta(hours=24)
"""A day holds its busiest hour; fewer samples say nothing of the peak."""

A_WEEK = timedelta(days=7)
LEAST_SAMPLES = 20


@check(
    "capacity.pool-matches-load",
    severity=Severity.MAJOR,
    evidence=Evidence.CONFIG,
    phase=Phase.BEFORE,
    target="variables",
)
def pool_matches_load(subject: Subject) -> Finding:
    wanted = subject.environment.load.concurrent_requests
    if wanted is None:
        mend = "declare load.concurrent_requests in the inventory"
        return unknown("the pools hold the expected requests at once", "nobody has said how many are expected", mend)
    pool, served_by = subject.site.number("DB_POOL_SIZE", default=5), processes(subject.site)
    expected = f"DB_POOL_SIZE × workers × replicas is at least {wanted}, the requests that are expected at once"
    found = f"{pool} × {served_by} processes = {pool * served_by}"
    if pool * served_by < wanted:
        return failed(expected, found, f"set DB_POOL_SIZE to {-(-wanted // served_by)} or more, then restart")
    return passed(expected, found)


@check(
    "capacity.not-overprovisioned",
    severity=Severity.MINOR,
    evidence=Evidence.LEDGER,
    target="ledger",
)
def not_overprovisioned(subject: Subject) -> Finding:
    plan = subject.environment.platform.plan
    assert plan is not None, "loading fills it in"
    most, size = provisioned(subject.site), subject.site.number("DB_POOL_SIZE", default=5)
    expected = f"the pools' {most} connections are fewer than {TEN_TIMES} times the most that were used at once"
    if size <= plan.pool_sizes.start:
        return passed(expected, f"DB_POOL_SIZE {size} is the least that the {plan} plan accepts")
    samples = subject.site.ledger.read(datetime.now(UTC) - A_WEEK).of(SAMPLE)
    seen = [entry for entry in samples if known(entry.data.get("connections", {"unknown": ""}))]
    spanned = seen[-1].at - seen[0].at if seen else timedelta()
    if len(seen) < LEAST_SAMPLES or spanned < A_DAY:
        hours = spanned.total_seconds() / 3600
        why = f"{len(seen)} samples over {hours:.1f} h; {LEAST_SAMPLES} over 24 h are needed to know the peak"
        return skipped(expected, why)
    peak = max(int(entry.data["connections"]["used"]) for entry in seen)
    found = f"at most {peak} were used at once, in {len(seen)} samples over {spanned.total_seconds() / 3600:.0f} h"
    if most >= TEN_TIMES * max(peak, 1):
        lower = max(plan.pool_sizes.start, 2 * peak)
        return failed(expected, f"{found}; {most} are provisioned", f"set DB_POOL_SIZE to {lower}, then restart")
    return passed(expected, found)


tuned = gate(
    "capacity.pools-tuned",
    over=("capacity.pool-matches-load", "capacity.not-overprovisioned"),
    numbers=range(46, 48),
    severity=Severity.MAJOR,
    phase=Phase.LIVE,
)
