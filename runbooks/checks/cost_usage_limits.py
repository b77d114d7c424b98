"""Where the providers stop, so that a mistake can't cost more than was decided."""

from __future__ import annotations

from runbooks.checks.declare import check
from runbooks.checks.provider_words import Kind, Word, summed, undeclared
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity
from runbooks.systems.providers.openai import SpendLimit

USAGE_LIMITS = "cost.usage-limits"


@check(
    USAGE_LIMITS,
    severity=Severity.MAJOR,
    evidence=Evidence.PROBE,
    target="provider administration",
    seconds=20,
    attestable=True,
)
def usage_limits(subject: Subject) -> Finding:
    expected = "each provider stops at a monthly amount within what the inventory allows"
    ask = {
        "openai": _openai_limit,
        "anthropic": lambda _: Word(Kind.NOTHING, "no API tells a workspace's spend limit"),
        "google": lambda _: Word(Kind.NOTHING, "no API tells a spend limit"),
    }
    return summed(subject, USAGE_LIMITS, expected, ask, "set the limit in the provider's dashboard")


def judged_limit(limit: SpendLimit | None, project: str, allowed: float) -> Word:
    """A project's spend limit beside the highest that is allowed, in US dollars a month."""
    if limit is None:
        return Word(Kind.BAD, f"{project} has no spend limit")
    text = f"{project} stops at ${limit.amount:.2f} a month"
    if limit.amount > allowed:
        return Word(Kind.BAD, f"{text}, more than the ${allowed:.2f} that are allowed")
    return Word(Kind.GOOD, text)


def _openai_limit(subject: Subject) -> Word:
    declared, admin = subject.environment.providers.openai, subject.site.vendors.openai_admin()
    project, allowed = declared.project, declared.spend_limit_usd
    missing = undeclared("providers.openai", admin_key=admin, project=project, spend_limit_usd=allowed)
    if missing or admin is None or project is None or allowed is None:
        return missing or Word(Kind.NOTHING, "")
    return judged_limit(admin.spend_limit(project), project, allowed)
