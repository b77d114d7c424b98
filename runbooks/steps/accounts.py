"""The throw-away user of a verification: registered at the start, erased at the end, also after a kill.

Only users are erased whose id an earlier record of this tool's own journals names, and whose address is in the
inventory's test domain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from runbooks.checks.journey import ME
from runbooks.checks.subject import Subject
from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.journal import FILE_NAME, Record, read_chain
from runbooks.engine.runs import folders
from runbooks.engine.step import Scope
from runbooks.systems.http.client import Answer
from runbooks.systems.postgres.client import Connection

CREATED = "created-user"
ERASED = "erased-users"

MOST_ROWS = 12
"""Rows per user and table that a run may have caused; more belong to somebody else's work and stop the erasure."""

JOURNALS_READ = 100
"""How many of the newest journals are searched for users that a killed run left behind."""


@dataclass(frozen=True)
class Left:
    """A user that some run created and none has erased."""

    id: int
    email: str


def register(subject: Subject, scope: Scope) -> str:
    """Register this run's user. What the application answers is judged by a check, not here."""
    journey = subject.journey
    try:
        journey.registered = journey.register()
    except SystemFault as fault:
        journey.registered = fault
        return f"no test account: {fault.what}"
    if journey.registered.status != 201:
        return f"no test account: HTTP {journey.registered.status}"
    account = journey.account()
    scope.record(CREATED, id=int(account["id"]), email=journey.email)
    return f"user {account['id']} ({journey.email})"


def address(subject: Subject) -> dict[str, str]:
    """The state noted ahead of the registration, so that a killed run's user can be found by address."""
    try:
        return {"email": subject.journey.email}
    except SystemFault:
        return {}


def erase(subject: Subject, scope: Scope, runs: Path) -> str:
    """Erase this run's user and those that killed runs left behind.

    Raises:
        SystemFault: some are left; the message names them.
    """
    for stray in subject.journey.strays:
        scope.record(CREATED, id=stray, email=subject.journey.email)
    left = left_behind(runs)
    if not left:
        return "no test account was created"
    try:
        erased = _erase_rows(subject, left)
    except (SystemFault, InputError) as fault:
        return _erase_by_request(subject, scope, left, fault)
    scope.record(ERASED, ids=[user.id for user in left], how="sql", rows=erased)
    return f"erased {len(left)} test users with {sum(erased.values())} rows in {len(erased)} tables"


def left_behind(runs: Path) -> list[Left]:
    """Users that the newest journals say were created and not erased."""
    users: dict[int, Left] = {}
    for folder in list(folders(runs))[-JOURNALS_READ:]:
        for record in read_chain(folder / FILE_NAME).records:
            _follow(record, users)
    return list(users.values())


def _follow(record: Record, users: dict[int, Left]) -> None:
    if record.kind == CREATED:
        users[record.data["id"]] = Left(record.data["id"], record.data["email"])
    elif record.kind == ERASED:
        for number in record.data["ids"]:
            users.pop(number, None)


def _erase_rows(subject: Subject, left: Sequence[Left]) -> dict[str, int]:
    """Delete the users and all rows that refer to them, in one transaction; how many rows went per table.

    Raises:
        SystemFault: the database refuses, or a table would lose more rows than the runs explain; nothing is deleted.
    """
    domain = subject.environment.application.test_email_domain
    with subject.site.database.writing() as connection:
        users = connection.execute(
            'SELECT id, email FROM "user" WHERE id = ANY(%s) AND email LIKE %s FOR UPDATE',
            [[user.id for user in left], f"%@{domain}"],
        ).fetchall()
        ids = [user["id"] for user in users]
        counts: dict[str, int] = {}
        for table, column in _referring(connection):
            counts[table] = counts.get(table, 0) + _delete(connection, table, column, ids)
        counts["user"] = _delete(connection, "user", "id", ids)
    return {table: count for table, count in counts.items() if count}


def _referring(connection: Connection) -> list[tuple[str, str]]:
    """Tables and columns that refer to a user, those first that others do not refer to."""
    rows = connection.execute(
        """
        WITH RECURSIVE referring(oid, depth) AS (
            SELECT '"user"'::regclass::oid, 0
            UNION
            SELECT c.conrelid, r.depth + 1 FROM pg_constraint c JOIN referring r ON c.confrelid = r.oid
            WHERE c.contype = 'f' AND c.conrelid <> c.confrelid AND r.depth < 10
        )
        SELECT t.relname AS table, a.attname AS column, max(r.depth) AS depth
        FROM referring r
        JOIN pg_constraint c ON c.conrelid = r.oid AND c.contype = 'f' AND c.confrelid = '"user"'::regclass
        JOIN pg_class t ON t.oid = c.conrelid
        JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
        GROUP BY 1, 2 ORDER BY depth DESC, 1, 2
        """
    ).fetchall()
    return [(row["table"], row["column"]) for row in rows]


def _delete(connection: Connection, table: str, column: str, ids: Sequence[int]) -> int:
    statement = sql.SQL("DELETE FROM {} WHERE {} = ANY(%s)").format(sql.Identifier(table), sql.Identifier(column))
    count = connection.execute(statement, [list(ids)]).rowcount
    if count > MOST_ROWS * max(len(ids), 1):
        raise SystemFault(
            "a table would lose more rows than test users can have caused, so nothing was erased",
            reason=Reason.FAILED,
            where=table,
            found=f"{count} rows for {len(ids)} users",
            mend="look at these users before they are erased by hand",
        )
    return count


def _erase_by_request(subject: Subject, scope: Scope, left: Sequence[Left], why: SystemFault | InputError) -> str:
    """Without the right to write SQL: ask the application to erase this run's user, and name what stays."""
    own = _own_id(subject)
    answer: Answer | None = None
    if own is not None:
        try:
            answer = subject.journey.ask("DELETE", ME)
        except SystemFault as fault:
            why = fault
        if answer is not None and answer.status == 204:
            scope.record(ERASED, ids=[own], how="request", rows={})
            left = [user for user in left if user.id != own]
    if left:
        raise SystemFault(
            f"{len(left)} test users could not be erased",
            reason=why.reason if isinstance(why, SystemFault) else Reason.FAILED,
            where=", ".join(f"user {user.id} ({user.email})" for user in left),
            found=why.what,
            mend="the next run tries again; or erase them by hand",
        )
    return "the application erased the test user (DELETE /users/me); it may have kept the row as inactive"


def _own_id(subject: Subject) -> int | None:
    try:
        return int(subject.journey.account()["id"])
    except SystemFault:
        return None
