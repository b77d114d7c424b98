"""One database put in the place of another: the old one is closed, renamed, and kept.

Both renames are one transaction, so at no moment is there no database of that name, or are there two. What a killed
process leaves is told by the names and by the mark in the comment of the database that was closed or put aside.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg import sql

from runbooks.engine.errors import LeaseLost, Reason, SystemFault
from runbooks.systems.postgres.access import Access
from runbooks.systems.postgres.client import Connection
from runbooks.systems.postgres.databases import (
    Mark,
    bestow,
    difference,
    mark,
    mark_of,
    properties,
    set_mark,
)
from runbooks.systems.postgres.records import Properties
from runbooks.systems.postgres.sessions import end_sessions

CLOSED, QUARANTINED = "closed", "quarantined"
"""What the mark of a database says: nobody may connect, as it is about to be replaced; and it has been replaced."""

SECONDS_TO_END = 10.0
"""How long sessions may take to end: each notices when its statement lets it."""

_MARKS = """
SELECT d.datname::text AS name, pg_catalog.shobj_description(d.oid, 'pg_database') AS comment
FROM pg_catalog.pg_database d WHERE d.datname = %s OR pg_catalog.starts_with(d.datname::text, %s)
"""
_STATE = """
SELECT d.datallowconn AS open, pg_catalog.shobj_description(d.oid, 'pg_database') AS comment,
       pg_catalog.clock_timestamp() AS now
FROM pg_catalog.pg_database d WHERE d.datname = %s
"""


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """Which database takes whose place.

    Attributes:
        live: The name that clients connect to.
        replacement: The database that gets this name.
        aside: The name under which the one before is kept.
        mark: Who does it: run, snapshot, by, token. State, time and comment are filled in.
    """

    live: str
    replacement: str
    aside: str
    mark: Mark


@contextlib.contextmanager
def beside(access: Access) -> Iterator[Connection]:
    """A connection to another database of the server than the application's: none can be renamed from within.

    Raises:
        SystemFault: the server can't be reached, or lets the role into neither ``postgres`` nor ``template1``.
    """
    with contextlib.ExitStack() as stack:
        try:
            connection = stack.enter_context(access.connection("postgres"))
        except SystemFault as fault:
            if fault.reason is not Reason.UNAUTHORISED:
                raise
            connection = stack.enter_context(access.connection("template1"))
        yield connection


def is_closed(connection: Connection, database: str, run: str) -> bool:
    """Whether this run has closed it, and it is."""
    said = mark(connection, database)
    return said is not None and said.state == CLOSED and said.run == run and not _state(connection, database)["open"]


def close(connection: Connection, exchange: Exchange) -> str:
    """Let nobody into the live database any more, and end who is in it. It stays so until `reopen` or `swap`.

    Raises:
        LeaseLost: a later run has been at this database.
        SystemFault: another run has closed it, or sessions do not end.
    """
    live = exchange.live
    with connection.transaction():
        name = sql.Identifier(live)
        # The first statement takes the database's lock, so that what is read after it is the last word.
        connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
        _refuse_late(connection, exchange)
        found = _state(connection, live)
        said = mark_of(found["comment"])
        if said is None or said.state != CLOSED:
            closed = replace(exchange.mark, state=CLOSED, at=_now(found), of=live, comment=found["comment"] or "")
            set_mark(connection, live, closed)
    return f"{end_sessions(connection, live, seconds=SECONDS_TO_END)} sessions of {live} ended; nobody can connect"


def reopen(connection: Connection, database: str, run: str) -> str:
    """Take `close` back, if this run has done it."""
    said = mark(connection, database)
    if said is None or said.run != run or said.state != CLOSED:
        return f"{database} was not closed by this run"
    with connection.transaction():
        _open(connection, database, said.comment)
    return f"{database} can be connected to again"


def swap(connection: Connection, exchange: Exchange) -> str:
    """Put the replacement in the place of the live database, which is kept under another name, closed.

    The replacement gets the owner, settings, limit, rights and comment that the live database has now.

    Raises:
        LeaseLost: a later run has been at this database.
        SystemFault: sessions do not end; or another run has closed the live database.
    """
    deadline = time.monotonic() + SECONDS_TO_END
    while True:
        for name in (exchange.live, exchange.replacement):
            end_sessions(connection, name, seconds=SECONDS_TO_END)
        try:
            with connection.transaction():
                return _swap(connection, exchange)
        except psycopg.errors.ObjectInUse as error:  # somebody came in between
            if time.monotonic() > deadline or "prepared transaction" in str(error):
                raise


def _swap(connection: Connection, exchange: Exchange) -> str:
    live, aside, coming = (sql.Identifier(n) for n in (exchange.live, exchange.aside, exchange.replacement))
    like = properties(connection, exchange.live)
    assert like, "it was closed before"
    # The renames take the locks first: new sessions wait for them, and what is read after them is the last word.
    connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(live, aside))
    connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(coming, live))
    _refuse_late(connection, exchange)
    before = _state(connection, exchange.aside)
    said = mark_of(before["comment"])
    comment = said.comment if said and said.state == CLOSED else before["comment"] or ""
    put_aside = replace(exchange.mark, state=QUARANTINED, at=_now(before), of=exchange.live, comment=comment)
    set_mark(connection, exchange.aside, put_aside)
    connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(aside))
    changed = adopt(connection, exchange.live, like)
    _open(connection, exchange.live, comment)
    hint = f"; as the database before: {'; '.join(changed)}" if changed else ""
    return f"{exchange.replacement} is {exchange.live} now; what was is kept as {exchange.aside}{hint}"


def adopt(connection: Connection, name: str, like: Properties) -> list[str]:
    """Give a database another's owner, settings, limit and rights; what it had otherwise, in words."""
    found = properties(connection, name)
    assert found, name
    same = {key: getattr(like, key) for key in ("owner", "connection_limit", "grants", "settings")}
    changed = list(difference(found, replace(found, **same)))
    if not changed:
        return []
    target = sql.Identifier(name)
    if found.owner != like.owner:
        connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(target, sql.Identifier(like.owner)))
    for role in sorted({role for role, _ in found.settings}):
        who = sql.SQL("ALTER ROLE {} IN DATABASE {} RESET ALL").format(sql.Identifier(role), target)
        connection.execute(who if role else sql.SQL("ALTER DATABASE {} RESET ALL").format(target))
    for role in sorted({role for role, _, _ in found.grants if role}):
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM {}").format(target, sql.Identifier(role)))
    bestow(connection, name, like)
    return changed


def _refuse_late(connection: Connection, exchange: Exchange) -> None:
    """What a later lease has done, an earlier one must not undo: its holder may have slept through being succeeded."""
    for row in connection.execute(_MARKS, [exchange.live, f"{exchange.live}__"]).fetchall():
        said = mark_of(row["comment"])
        if said is None or said.run == exchange.mark.run:
            continue
        if said.token > exchange.mark.token:
            raise LeaseLost(
                "a later run has been at this database, so nothing more is changed",
                where=row["name"],
                found=f"{said.state} by run {said.run} under lease {said.token}; ours is {exchange.mark.token}",
                mend=f"invoke runs.show {said.run}; if the environment's store is a new one, whose leases count from 1"
                f' again: COMMENT ON DATABASE "{row["name"]}" IS NULL once nobody needs what it says',
            )
        if said.state == CLOSED:
            raise SystemFault(
                "another run has closed the database, and has not come to its end",
                reason=Reason.REFUSED,
                where=row["name"],
                found=f"run {said.run}, at {said.at}",
                mend=f"invoke runs.resume {said.run}, or runs.abort {said.run}; if a later run has overtaken it:"
                f" {reopening(row['name'], said)}",
            )


def reopening(name: str, said: Mark) -> str:
    """What a person types into psql where the run that has closed a database can't be taken back any more."""
    target = sql.Identifier(name).as_string()
    comment = sql.Literal(said.comment or None).as_string()
    return f"ALTER DATABASE {target} ALLOW_CONNECTIONS true; COMMENT ON DATABASE {target} IS {comment}"


def _open(connection: Connection, name: str, comment: str) -> None:
    target = sql.Identifier(name)
    connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(target))
    connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(target, comment or None))


def _state(connection: Connection, name: str) -> dict[str, Any]:
    row = connection.execute(_STATE, [name]).fetchone()
    if row is None:
        raise SystemFault("there is no such database", reason=Reason.FAILED, where=name, mend="invoke quarantine.list")
    return row


def _now(state: dict[str, Any]) -> str:
    return f"{state['now']:%Y-%m-%dT%H:%M:%SZ}"
