"""One database put in the place of another: the old one is renamed, closed, and kept.

Both renames are one transaction, so at no moment is there no database of that name, or are there two. What a killed
process leaves is told by the names and by the mark in the comment of the database that was put aside.

Clients notice it for as short as can be: the first rename takes the database's lock, and only then the sessions are
ended. Whoever connects again waits for that lock instead of being refused again and again, which on a busy server took
longer than all the rest; whoever waited is refused once, as the name is another database's by then.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
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
    mark_of,
    properties,
    set_mark,
)
from runbooks.systems.postgres.records import Properties
from runbooks.systems.postgres.sessions import SECONDS_BETWEEN, end_all, end_sessions, holds, sessions, unended

QUARANTINED = "quarantined"
"""What the mark of a database says that has been replaced."""

SECONDS_TO_END = 10.0
"""How long sessions may take to end: each notices when its statement lets it. A rename waits 5 s for them."""

LOCK_WAIT = "2s"
"""How long the database's lock is waited for: whoever connects meanwhile waits behind us."""

_MARKS = """
SELECT d.datname::text AS name, pg_catalog.shobj_description(d.oid, 'pg_database') AS comment
FROM pg_catalog.pg_database d WHERE d.datname = %s OR pg_catalog.starts_with(d.datname::text, %s)
"""
_STATE = """
SELECT pg_catalog.shobj_description(d.oid, 'pg_database') AS comment, pg_catalog.clock_timestamp() AS now
FROM pg_catalog.pg_database d WHERE d.datname = %s
"""

_LOCKED = """
SELECT FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_database d ON d.oid = l.objid
WHERE l.locktype = 'object' AND l.classid = 'pg_catalog.pg_database'::pg_catalog.regclass AND l.granted
  AND l.mode = 'AccessExclusiveLock' AND d.datname = %s AND l.pid = %s
"""
_HOLDERS = """
SELECT l.pid, coalesce(a.usename, '')::text AS role, l.mode FROM pg_catalog.pg_locks l
JOIN pg_catalog.pg_database d ON d.oid = l.objid LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'object' AND l.classid = 'pg_catalog.pg_database'::pg_catalog.regclass AND l.granted
  AND d.datname = %s ORDER BY l.pid
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


def swap(access: Access, exchange: Exchange) -> str:
    """Put the replacement in the place of the live database, which is kept under another name, closed.

    The replacement gets the owner, settings, limit, rights and comment that the live database has now.

    Raises:
        LeaseLost: a later run has been at this database.
        SystemFault: sessions do not end, or something else holds the database.
    """
    deadline = time.monotonic() + SECONDS_TO_END
    with beside(access) as connection, beside(access) as ender:
        _refuse_late(connection, exchange)
        while True:
            end_sessions(connection, exchange.replacement, seconds=SECONDS_TO_END)
            try:
                with connection.transaction():
                    return _swap(connection, ender, exchange)
            except psycopg.errors.LockNotAvailable as error:
                if time.monotonic() > deadline:
                    raise _held_by_others(connection, exchange.live) from error
            except psycopg.errors.ObjectInUse as error:
                if holds(connection, exchange.live):  # a prepared transaction, which nobody but its maker may end
                    raise
                if time.monotonic() > deadline:
                    left = sessions(connection, exchange.live)
                    raise (unended(exchange.live, left) if left else error) from error


def _swap(connection: Connection, ender: Connection, exchange: Exchange) -> str:
    live, aside, coming = (sql.Identifier(n) for n in (exchange.live, exchange.aside, exchange.replacement))
    like = properties(connection, exchange.live)
    assert like, "there is a live database"
    changed = adopt(connection, exchange.replacement, like)
    connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(LOCK_WAIT))
    # The renames take the locks: new sessions wait for them, and what is read after them is the last word.
    with _sessions_ended(ender, exchange.live, connection.info.backend_pid):
        connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(live, aside))
    connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(coming, live))
    _refuse_late(connection, exchange)
    before = _state(connection, exchange.aside)
    comment = before["comment"] or ""
    put_aside = replace(exchange.mark, state=QUARANTINED, at=_now(before), of=exchange.live, comment=comment)
    set_mark(connection, exchange.aside, put_aside)
    connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(aside))
    connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(live))
    connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(live, comment or None))
    hint = f"; as the database before: {'; '.join(changed)}" if changed else ""
    return f"{exchange.replacement} is {exchange.live} now; what was is kept as {exchange.aside}{hint}"


@contextlib.contextmanager
def _sessions_ended(ender: Connection, database: str, pid: int) -> Iterator[None]:
    """In the block this backend renames a database: its sessions are ended as soon as the backend has its lock."""
    over = threading.Event()

    def end() -> None:
        while not over.is_set():
            if ender.execute(_LOCKED, [database, pid]).fetchone() is not None:
                end_all(ender, database)
            over.wait(SECONDS_BETWEEN)

    with ThreadPoolExecutor(1, thread_name_prefix="end-sessions") as pool:
        ending = pool.submit(end)
        try:
            yield
        finally:
            over.set()
        ending.result()


def _held_by_others(connection: Connection, database: str) -> SystemFault:
    holders = connection.execute(_HOLDERS, [database]).fetchall()
    return SystemFault(
        "something else holds the database, so it can't be renamed",
        reason=Reason.TIMED_OUT,
        where=database,
        found=", ".join(f"{row['pid']} of {row['role']} ({row['mode']})" for row in holders) or "its lock was not got",
        mend="wait until that has ended, or see what it does in pg_stat_activity; then the same again",
    )


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


def _state(connection: Connection, name: str) -> dict[str, Any]:
    row = connection.execute(_STATE, [name]).fetchone()
    if row is None:
        raise SystemFault("there is no such database", reason=Reason.FAILED, where=name, mend="invoke quarantine.list")
    return row


def _now(state: dict[str, Any]) -> str:
    return f"{state['now']:%Y-%m-%dT%H:%M:%SZ}"
