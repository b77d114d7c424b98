"""Gates over what this run has already asked, and what must be there after a deploy: mail, providers, content."""

from __future__ import annotations

import dataclasses

from runbooks.checks.declare import check
from runbooks.checks.gate import gate
from runbooks.checks.journey import within_limits
from runbooks.checks.letters import SECONDS, reset, wait_seconds
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Phase, Severity, failed, passed

_ACCOUNTS = (
    "accounts.register",
    "accounts.verify-email",
    "accounts.login",
    "accounts.reset-password",
    "accounts.refresh",
    "accounts.protected-with-token",
    "accounts.protected-without-token",
)
_LESSONS = ("ai.lessons-openai", "ai.lessons-anthropic", "ai.lessons-google")
_AI = ("ai.lessons", *_LESSONS, "ai.chat", "ai.coach", "ai.tts")
_BYOK = ("byok.save", "byok.encrypted-at-rest", "byok.used", "byok.delete")
_READER = ("reader.search", "reader.text", "reader.morphology", "reader.vocabulary")

smoke = gate(
    "verification.smoke",
    over=_ACCOUNTS + _AI + _BYOK + _READER,
    numbers=range(64, 86),
    severity=Severity.CRITICAL,
    phase=Phase.AFTER,
)

authentication = gate(
    "verification.authentication",
    over=_ACCOUNTS,
    numbers=range(64, 71),
    severity=Severity.CRITICAL,
    phase=Phase.AFTER,
)

ai_providers = gate(
    "verification.ai-providers",
    over=("health.providers", *_LESSONS),
    numbers=(50, 72, 73, 74),
    severity=Severity.MAJOR,
    phase=Phase.AFTER,
)


@check(
    "verification.email-delivery",
    severity=Severity.MAJOR,
    evidence=Evidence.PROBE,
    phase=Phase.AFTER,
    target="application",
    after=("email.password-reset-works", "accounts.register", "accounts.login", "accounts.verify-email"),
    seconds=SECONDS,
)
def email_delivery(subject: Subject) -> Finding:
    declared = subject.environment.inbox
    budget = declared.delivery_budget_seconds if declared else 0.0
    expected = f"the mail of a password reset is in the inbox within {budget:g} s"
    done = reset(subject)
    if done.letter is None:
        mend = "see email.provider-key-accepted, and the application's log for mails that were not sent"
        return failed(expected, done.problem(wait_seconds(subject)), mend)
    if done.letter.seconds > budget:
        found = f"it came after {done.letter.seconds:.1f} s"
        return failed(expected, found, "see the mail provider's status page and queue")
    return passed(expected, f"it came after {done.letter.seconds:.1f} s")


@check(
    "verification.seed-data",
    severity=Severity.MAJOR,
    evidence=Evidence.PROBE,
    phase=Phase.AFTER,
    target="application",
)
def seed_data(subject: Subject) -> Finding:
    from runbooks.systems.postgres.count import at_least

    content = subject.environment.content
    expected = f"texts in {', '.join(content.languages)}, and the declared number of rows"
    answer = within_limits(subject.site.application.get("/api/v1/languages"))
    listed = answer.json() if answer.status == 200 else None
    if not isinstance(listed, list):
        return failed(expected, f"GET /api/v1/languages: HTTP {answer.status}", "see the application's log")
    full = {entry.get("code") for entry in listed if entry.get("work_count") and entry.get("segment_count")}
    without = [code for code in content.languages if code not in full]
    wanted = {name: least for name, least in dataclasses.asdict(content.rows).items() if least}
    with subject.site.database.reading() as connection:
        found = at_least(connection, wanted)
    problems = [f"no texts in {code}" for code in without]
    problems += [f"{name} has {found[name]} rows of {least}" for name, least in wanted.items() if found[name] < least]
    if problems:
        return failed(expected, "; ".join(problems), "load the content again, or restore it from a snapshot")
    return passed(
        expected, f"texts in {len(content.languages)} languages; at least as many rows in {len(wanted)} tables"
    )
