"""What everything costs: figures that somebody read lately, and what is kept back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from runbooks.checks.declare import SiteCheck, check
from runbooks.checks.gate import gate
from runbooks.checks.subject import Subject
from runbooks.engine.check import (
    Evidence,
    Finding,
    Phase,
    Severity,
    failed,
    nothing_to_ask,
    passed,
    unknown,
)
from runbooks.environment.people.costs import Costs
from runbooks.environment.people.days import today

FIGURE_AGE = timedelta(days=35)
"""A month and some days for the bill to come."""


def _known(kind: str) -> SiteCheck:
    @check(f"cost.{kind}", severity=Severity.MINOR, evidence=Evidence.CONFIG, target="people")
    def look(subject: Subject) -> Finding:
        expected = f"costs.toml has a figure for {kind} that is younger than {FIGURE_AGE.days} days"
        costs = subject.written.costs
        return _no_file(subject, expected) if costs is None else figure(expected, costs, kind, datetime.now(UTC))

    return look


hosting, database, redis, ai, email = map(_known, ("hosting", "database", "redis", "ai", "email"))

known = gate(
    "cost.known",
    over=(hosting.id, database.id, redis.id, ai.id, email.id),
    numbers=range(124, 129),
    severity=Severity.MINOR,
    phase=Phase.LIVE,
)


@check("cost.billing-alerts", severity=Severity.MINOR, evidence=Evidence.ATTEST, target="people", attestable=True)
def billing_alerts(_subject: Subject) -> Finding:
    return nothing_to_ask("somebody vouches for a budget alert at each provider", "no system knows of all of them")


@check("cost.spike-budget", severity=Severity.MINOR, evidence=Evidence.CONFIG, target="people")
def spike_budget(subject: Subject) -> Finding:
    expected = "costs.toml has a reserve, at least the declared share of a month's cost"
    costs = subject.written.costs
    return _no_file(subject, expected) if costs is None else reserve(expected, costs)


def figure(expected: str, costs: Costs, kind: str, now: datetime) -> Finding:
    """Whether a cost is known."""
    held = costs.figures[kind]
    mend = f"read the bill, and write it into costs.toml as [{kind}]"
    if held is None:
        return failed(expected, f"costs.toml has no [{kind}]", mend)
    age = today(now) - held.on
    if age >= FIGURE_AGE:
        return failed(expected, f"the figure of {held.on} is {age.days} days old", mend)
    return passed(expected, f"{held.monthly:g} {costs.currency} a month, read on {held.on}: {held.source}")


def reserve(expected: str, costs: Costs) -> Finding:
    """Whether a bad month is paid for."""
    if costs.reserve is None:
        return failed(expected, "costs.toml has no [reserve]", "keep something back, and write it down there")
    missing = [kind for kind, held in costs.figures.items() if held is None]
    if missing:
        return unknown(expected, f"a month's cost is not known: no {', '.join(missing)}", "add them to costs.toml")
    month = sum(held.monthly for held in costs.figures.values() if held)
    wanted = costs.reserve.share * month
    found = f"{costs.reserve.amount:g} of {month:g} {costs.currency} a month"
    if costs.reserve.amount < wanted or not costs.reserve.amount:
        return failed(expected, f"{found}; {wanted:g} are wanted", "keep more back, or lower the share in costs.toml")
    return passed(expected, found)


def _no_file(subject: Subject, expected: str) -> Finding:
    return unknown(expected, f"there is no costs.toml in {subject.written.shown}", "see inventory/example/costs.toml")
