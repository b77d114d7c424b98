"""Growth: what only people know of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from runbooks.checks.declare import check
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, nothing_to_ask, passed, unknown
from runbooks.environment.people.costs import Costs
from runbooks.environment.people.days import today

ESTIMATE_AGE = timedelta(days=100)
FEWEST_LEVELS = 2
"""One figure is no comparison."""


@check("scaling.horizontal-known", severity=Severity.MINOR, evidence=Evidence.ATTEST, target="people", attestable=True)
def horizontal_known(_subject: Subject) -> Finding:
    return nothing_to_ask("somebody vouches for the written way to add instances", "no system knows")


@check("scaling.vertical-known", severity=Severity.MINOR, evidence=Evidence.ATTEST, target="people", attestable=True)
def vertical_known(_subject: Subject) -> Finding:
    return nothing_to_ask("somebody vouches for the written way to enlarge the server", "no system knows")


@check("scaling.cost-estimates", severity=Severity.MINOR, evidence=Evidence.CONFIG, target="people")
def cost_estimates(subject: Subject) -> Finding:
    expected = f"costs.toml estimates {FEWEST_LEVELS} scales or more, each within {ESTIMATE_AGE.days} days"
    costs = subject.written.costs
    if costs is None:
        return unknown(
            expected, f"there is no costs.toml in {subject.written.shown}", "see inventory/example/costs.toml"
        )
    return estimates(expected, costs, datetime.now(UTC))


def estimates(expected: str, costs: Costs, now: datetime) -> Finding:
    """Whether what growth costs is known."""
    mend = "work it out anew, and write it into costs.toml"
    stale = [
        f"{each.level!r} is of {each.on}, {(today(now) - each.on).days} days old"
        for each in costs.estimate
        if today(now) - each.on > ESTIMATE_AGE
    ]
    if stale:
        return failed(expected, "; ".join(stale), mend)
    if len(costs.estimate) < FEWEST_LEVELS:
        return failed(expected, f"costs.toml has {len(costs.estimate)} [[estimate]]", mend)
    told = ", ".join(f"{each.level}: {each.monthly:g} {costs.currency}" for each in costs.estimate)
    return passed(expected, f"a month at {told}")
