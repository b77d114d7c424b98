"""A user's rights over what is stored: to have all of it handed out, and all of it erased."""

from __future__ import annotations

import secrets

from runbooks.checks.declare import check
from runbooks.checks.gate import gate
from runbooks.checks.items import ITEMS
from runbooks.checks.journey import ME
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Phase, Severity, failed, passed

EXPORT = f"{ME}/export"
HASHED = b"$2b$"
"""How a bcrypt hash begins."""

_ASKED_BEFORE = (
    *(item.id for item in ITEMS if item.section == "Testing"),
    "build.no-secrets-in-logs",
    "compliance.export-user",
    "email.password-reset-works",
    "final.registration",
    "verification.email-delivery",
)
"""All that may need the throw-away user, and so must be asked before it is deleted."""


@check(
    "compliance.export-user",
    severity=Severity.MAJOR,
    evidence=Evidence.PROBE,
    target="application",
    after=("accounts.protected-with-token", "byok.save"),
)
def export_user(subject: Subject) -> Finding:
    expected = f"GET {EXPORT} holds what was written for the user, and no secret"
    journey = subject.journey
    marks = {name: f"{name} {secrets.token_hex(6)}" for name in ("real_name", "display_name", "region", "bio")}
    changed = journey.ask("PATCH", ME, json=marks)
    if changed.status != 200:
        return failed(expected, f"PATCH {ME}: HTTP {changed.status}", "see the application's log")
    answer = journey.ask("GET", EXPORT)
    if answer.status == 404:
        return failed(expected, "this release hands no data out: HTTP 404", f"build GET {EXPORT}")
    if answer.status != 200:
        return failed(expected, f"HTTP {answer.status}", "see the application's log")
    answer.object()
    written = {"username": journey.username, "email": journey.email, **marks}
    missing = [name for name, value in written.items() if value.encode() not in answer.body]
    if missing:
        return failed(expected, f"missing: {', '.join(missing)}", "complete the export")
    if HASHED in answer.body or journey.own_key.reveal().encode() in answer.body:
        return failed(expected, "the export holds the password's hash or an API key", "take these out of the export")
    return passed(expected, f"{', '.join(written)} in {len(answer.body)} bytes, no secret")


@check(
    "compliance.delete-user",
    severity=Severity.MAJOR,
    evidence=Evidence.PROBE,
    target="application",
    after=_ASKED_BEFORE,
    seconds=30,
)
def delete_user(subject: Subject) -> Finding:
    """The run's user is no more after this; what is left of it here is erased at the end of the run."""
    from runbooks.systems.postgres.traces import traces

    expected = f"after DELETE {ME} no row in any table holds the user's id or e-mail"
    journey = subject.journey
    number = int(journey.account()["id"])
    deleted = journey.ask("DELETE", ME)
    if deleted.status != 204:
        return failed(expected, f"HTTP {deleted.status}", "see the application's log")
    journey.erased = True
    with subject.site.database.reading() as connection:
        looked, left = traces(connection, "user", number, journey.email)
    if left:
        found = ", ".join(f"{place} ({rows} row{'s' if rows > 1 else ''})" for place, rows in left.items())
        return failed(expected, f"left: {found[:300]}", "the release deletes softly or forgets tables: erase them too")
    return passed(expected, f"nothing in {looked} tables")


gdpr = gate(
    "compliance.gdpr",
    over=("compliance.export-user", "compliance.delete-user"),
    numbers=range(93, 95),
    severity=Severity.MAJOR,
    phase=Phase.LIVE,
)
