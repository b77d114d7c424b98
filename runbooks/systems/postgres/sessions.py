"""Who is connected to a database, and what else holds it; ending sessions."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.postgres.client import Connection

_SESSIONS = """
SELECT a.pid, pg_catalog.pg_get_userbyid(a.usesysid)::text AS role, coalesce(a.application_name, '') AS program,
       (SELECT r.rolsuper OR pg_catalog.pg_has_role(a.usesysid, 'USAGE')
             OR (NOT target.rolsuper AND pg_catalog.pg_has_role('pg_signal_backend', 'USAGE'))
        FROM pg_catalog.pg_roles r WHERE r.rolname = current_user) AS endable
FROM pg_catalog.pg_stat_activity a JOIN pg_catalog.pg_roles target ON target.oid = a.usesysid
WHERE a.datname = %s AND a.pid <> pg_catalog.pg_backend_pid()
ORDER BY a.pid
"""
"""What the server does by itself (autovacuum) belongs to no role; renaming a database ends it."""

_HOLDS = """
SELECT 'the prepared transaction ' || gid || ' (COMMIT PREPARED or ROLLBACK PREPARED it)' AS what
FROM pg_catalog.pg_prepared_xacts WHERE database = %(name)s
UNION ALL
SELECT 'the logical replication slot ' || slot_name || ', which would stay with the database that is put aside'
FROM pg_catalog.pg_replication_slots WHERE database = %(name)s
UNION ALL
SELECT 'the subscription ' || subname || ', which would stay with the database that is put aside'
FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid WHERE d.datname = %(name)s
ORDER BY 1
"""

SECONDS_BETWEEN = 0.02


@dataclass(frozen=True, kw_only=True)
class Session:
    """One client's. ``endable``: whether our role may end it."""

    pid: int
    role: str
    program: str
    endable: bool


def sessions(connection: Connection, database: str) -> Sequence[Session]:
    """All of a database but our own."""
    return [Session(**row) for row in connection.execute(_SESSIONS, [database]).fetchall()]


def holds(connection: Connection, database: str) -> Sequence[str]:
    """What keeps a database from being put aside, or would be torn by it, in words."""
    return [row["what"] for row in connection.execute(_HOLDS, {"name": database}).fetchall()]


def replicas(connection: Connection) -> int:
    """How many servers, or programs that copy one, stream what is written to this one."""
    row = connection.execute("SELECT count(*) AS count FROM pg_catalog.pg_stat_replication").fetchone()
    assert row
    return int(row["count"])


def unendable(found: Sequence[Session]) -> Iterator[str]:
    """What we lack for ending these sessions, in words."""
    for role, count in sorted(Counter(each.role for each in found if not each.endable).items()):
        yield f"the right to end {count} sessions of {role} (pg_signal_backend; a superuser's only another superuser)"


def end_all(connection: Connection, database: str) -> set[int]:
    """Have every session of a database end that our role may end; which those are. They take a moment."""
    pids = {each.pid for each in sessions(connection, database) if each.endable}
    for pid in pids:
        connection.execute("SELECT pg_catalog.pg_terminate_backend(%s)", [pid])
    return pids


def end_sessions(connection: Connection, database: str, *, seconds: float) -> int:
    """End every session of a database, until there is none; how many there were.

    Raises:
        SystemFault: some are left after so many seconds.
    """
    deadline = time.monotonic() + seconds
    ended: set[int] = set()
    while found := sessions(connection, database):
        ended |= end_all(connection, database)
        if time.monotonic() > deadline:
            raise unended(database, found)
        time.sleep(SECONDS_BETWEEN)
    return len(ended)


def unended(database: str, found: Sequence[Session]) -> SystemFault:
    """These sessions do not end."""
    left = ", ".join(f"{each.pid} of {each.role} ({each.program or 'no name'})" for each in found)
    return SystemFault(
        f"sessions of {database} do not end",
        reason=Reason.TIMED_OUT,
        where=database,
        found=left,
        mend="; ".join(unendable(found)) or "see what they do in pg_stat_activity",
    )
