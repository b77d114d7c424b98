"""What the providers allow our keys, and what they have cost this month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from runbooks.checks.api_keys import ANTHROPIC, OPENAI, models_in_use
from runbooks.checks.declare import check
from runbooks.checks.provider_words import Kind, Word, summed, undeclared
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity

RATE_LIMITS, USAGE = "api-keys.rate-limits", "api-keys.usage-watched"


@check(
    RATE_LIMITS,
    severity=Severity.MAJOR,
    evidence=Evidence.PROBE,
    target="provider administration",
    seconds=20,
    attestable=True,
)
def rate_limits(subject: Subject) -> Finding:
    expected = "no model in use may be asked more often than the inventory allows"
    ask = {
        "openai": _openai_rates,
        "anthropic": _anthropic_rates,
        "google": lambda _: Word(Kind.NOTHING, "no API tells a key's limits"),
    }
    return summed(subject, RATE_LIMITS, expected, ask, "lower it in the provider's dashboard")


@check(
    USAGE,
    severity=Severity.MAJOR,
    evidence=Evidence.PROBE,
    target="provider administration",
    seconds=20,
    attestable=True,
)
def usage_watched(subject: Subject) -> Finding:
    expected = "this month's spending is known and under the budget"
    ask = {
        "openai": _openai_spending,
        "anthropic": _anthropic_spending,
        "google": lambda _: Word(Kind.NOTHING, "no API tells what it costs"),
    }
    return summed(subject, USAGE, expected, ask, "see what is asked so often, then raise the budget or stop it")


def judged_rates(limits: Mapping[str, int], models: Sequence[str], allowed: int) -> Word:
    """The limits of the models in use, in requests a minute, beside what is allowed."""
    found = {model: _limit_of(limits, model) for model in models}
    high = [f"{model} {limit}" for model, limit in found.items() if limit is not None and limit > allowed]
    if high:
        return Word(Kind.BAD, f"more than {allowed} requests a minute: {', '.join(high)}")
    untold = [model for model, limit in found.items() if limit is None]
    if untold:
        return Word(Kind.NOTHING, f"no limit is told for {', '.join(untold)}")
    return Word(Kind.GOOD, ", ".join(f"{model} {limit}" for model, limit in found.items()) + " requests a minute")


def _limit_of(limits: Mapping[str, int], model: str) -> int | None:
    """A dated model's limit may stand under its family's name."""
    names = [name for name in limits if model == name or model.startswith(f"{name}-")]
    return limits[max(names, key=len)] if names else None


def _openai_rates(subject: Subject) -> Word:
    declared, admin = subject.environment.providers.openai, subject.site.vendors.openai_admin()
    project, allowed = declared.project, declared.requests_per_minute
    missing = undeclared("providers.openai", admin_key=admin, project=project, requests_per_minute=allowed)
    if missing or admin is None or project is None or allowed is None:
        return missing or Word(Kind.NOTHING, "")
    return judged_rates(admin.requests_per_minute(project), models_in_use(subject, OPENAI), allowed)


def _anthropic_rates(subject: Subject) -> Word:
    declared, admin = subject.environment.providers.anthropic, subject.site.vendors.anthropic_admin()
    allowed = declared.requests_per_minute
    missing = undeclared("providers.anthropic", admin_key=admin, requests_per_minute=allowed)
    if missing or admin is None or allowed is None:
        return missing or Word(Kind.NOTHING, "")
    return judged_rates(admin.requests_per_minute(declared.workspace), models_in_use(subject, ANTHROPIC), allowed)


def _openai_spending(subject: Subject) -> Word:
    declared, admin = subject.environment.providers.openai, subject.site.vendors.openai_admin()
    missing = undeclared("providers.openai", admin_key=admin, monthly_budget_usd=declared.monthly_budget_usd)
    if missing or admin is None or declared.monthly_budget_usd is None:
        return missing or Word(Kind.NOTHING, "")
    return judged_spending(float(admin.spent(_month(), declared.project)), declared.monthly_budget_usd)


def _anthropic_spending(subject: Subject) -> Word:
    declared, admin = subject.environment.providers.anthropic, subject.site.vendors.anthropic_admin()
    missing = undeclared("providers.anthropic", admin_key=admin, monthly_budget_usd=declared.monthly_budget_usd)
    if missing or admin is None or declared.monthly_budget_usd is None:
        return missing or Word(Kind.NOTHING, "")
    return judged_spending(float(admin.spent(_month(), declared.workspace)), declared.monthly_budget_usd)


def judged_spending(spent: float, budget: float) -> Word:
    """What was spent this month beside what a month may cost, in US dollars."""
    text = f"${spent:.2f} this month, of ${budget:.2f}"
    return Word(Kind.BAD if spent > budget else Kind.GOOD, text)


def _month() -> datetime:
    """When this month began; the providers count in UTC."""
    return datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
