"""Whether the application's connections are its pools': by its settings, and by counting them."""

from __future__ import annotations

from runbooks.checks.gate import gate
from runbooks.checks.sampling import connections, provisioned
from runbooks.checks.subject import Subject
from runbooks.engine.check import Finding, Phase, Severity, failed, passed


def observed(subject: Subject) -> Finding:
    """Count the connections that are open now: pools can't open more than they are told."""
    slots = subject.environment.platform.slots
    most = provisioned(subject.site) * slots
    used = connections(subject.site)["used"]
    expected = f"31 and 32 hold, and no more than {most} connections are open (all pools, {slots} slots)"
    if used > most:
        found = f"{used} connections are open: {used - most} more than the pools can have opened"
        return failed(expected, found, "find what connects past the pool: SELECT * FROM pg_stat_activity")
    return passed(expected, f"31 and 32 hold; {used} connections are open of {most} that the pools may open")


pooled = gate(
    "postgres.pooled",
    over=("postgres.pool-size", "postgres.max-overflow"),
    numbers=range(31, 33),
    severity=Severity.MAJOR,
    phase=Phase.LIVE,
    also=observed,
    target="postgres",
)
