"""The throw-away user of a verification: registered at the start, erased at the end, also after a kill.

Only users are erased whose address this tool's own journals name and whose address is in the inventory's test domain.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from runbooks.checks.journey import ME, user_id
from runbooks.checks.subject import Subject
from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.step import Scope
from runbooks.steps.leftovers import CREATED, ERASED, REGISTERING, Left, left_behind

MOST_ROWS = 12
"""Rows per user and table that a run may have caused; more belong to somebody else's work and stop the erasure."""


def register(subject: Subject, scope: Scope) -> str:
    """Register this run's user. What the application answers is judged by a check, not here."""
    journey = subject.journey
    try:
        scope.record(REGISTERING, emails=list(journey.addresses))
        journey.registered = answer = journey.register()
    except SystemFault as fault:
        journey.registered = fault
        if fault.reason is Reason.RATE_LIMITED:
            _refused(subject, scope)
        return f"no test account: {fault.what}"
    if answer.status != 201:
        if 400 <= answer.status < 500:
            _refused(subject, scope)
        return f"no test account: HTTP {answer.status}"
    try:
        number = user_id(answer)
    except SystemFault as fault:
        return f"no usable test account: {fault.what} ({fault.found})"
    scope.record(CREATED, id=number, email=journey.email)
    return f"user {number} ({journey.email})"


def _refused(subject: Subject, scope: Scope) -> None:
    """The application said no, so there is nothing that anybody must erase."""
    scope.record(ERASED, emails=list(subject.journey.addresses), how="never created", rows={})


def erase(subject: Subject, scope: Scope, runs: Path) -> str:
    """Erase this run's user and those that killed runs left behind.

    Raises:
        SystemFault: some are left; the message names them.
    """
    left = left_behind(runs, scope.run)
    if not left:
        return "no test account was created"
    domain = subject.environment.application.test_email_domain
    foreign = [user for user in left if not domain or not user.email.endswith(f"@{domain}")]
    left = [user for user in left if user not in foreign]
    try:
        found, erased = _erase_rows(subject, left) if left else (0, {})
    except (SystemFault, InputError) as fault:
        return _erase_by_request(subject, scope, left, fault)
    scope.record(ERASED, emails=[user.email for user in left], how="sql", rows=erased)
    if foreign:
        raise _left_over(foreign, "their addresses are outside application.test_email_domain", Reason.UNAUTHORISED)
    if not found:
        return "the application has erased the test user" if subject.journey.erased else "no test account was created"
    return f"erased {found} test users with {sum(erased.values())} rows in {len(erased)} tables"


def _erase_rows(subject: Subject, left: Sequence[Left]) -> tuple[int, dict[str, int]]:
    """Delete the users and all rows that refer to them, in one transaction; how many users, and rows per table.

    Raises:
        SystemFault: the database refuses, or a table would lose more rows than the runs explain; nothing is deleted.
    """
    from runbooks.systems.postgres.erase import erase as erase_rows

    with subject.site.database.writing() as connection:
        users = connection.execute(
            'SELECT id FROM "user" WHERE email = ANY(%s) FOR UPDATE', [[user.email for user in left]]
        ).fetchall()
        ids = [int(user["id"]) for user in users]
        rows = erase_rows(connection, "user", ids, most_rows=MOST_ROWS * len(ids)) if ids else {}
    return len(ids), rows


def _erase_by_request(subject: Subject, scope: Scope, left: Sequence[Left], why: SystemFault | InputError) -> str:
    """Without the right to write SQL: ask the application to erase this run's user, and name what stays."""
    own = subject.journey.addresses
    if any(user.email in own for user in left):
        try:
            erased = subject.journey.erased or subject.journey.ask("DELETE", ME).status == 204
        except SystemFault as fault:
            erased = False
            why = fault if not isinstance(why, SystemFault) else why
        if erased:
            # The weak password's user can't log in if it exists at all; a check has then failed and names it.
            scope.record(ERASED, emails=list(own), how="request", rows={})
            left = [user for user in left if user.email not in own]
    if left:
        raise _left_over(left, why.what, why.reason if isinstance(why, SystemFault) else Reason.FAILED)
    return "the application erased the test user (DELETE /users/me); it may have kept the row as inactive"


def _left_over(left: Sequence[Left], why: str, reason: Reason) -> SystemFault:
    return SystemFault(
        "test users could not be erased",
        reason=reason,
        where=", ".join(map(str, left)),
        found=why,
        mend="the next run tries again; or erase them by hand",
    )
