"""The databases that were put aside: which there are, and reading one without letting anybody else in for long."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from psycopg import sql

from runbooks.systems.postgres.access import Access
from runbooks.systems.postgres.databases import Mark, exists, mark_of
from runbooks.systems.postgres.exchange import QUARANTINED, beside
from runbooks.systems.postgres.sessions import sessions
from runbooks.systems.postgres.siblings import drop_unused

_ASIDE = """
SELECT d.datname::text AS name, pg_catalog.shobj_description(d.oid, 'pg_database') AS comment, d.datallowconn AS open,
       CASE WHEN pg_catalog.pg_has_role(d.datdba, 'USAGE') OR pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')
            THEN pg_catalog.pg_database_size(d.oid) END AS bytes
FROM pg_catalog.pg_database d WHERE pg_catalog.starts_with(d.datname::text, %s) ORDER BY 1
"""


@dataclass(frozen=True, kw_only=True)
class Aside:
    """A database that was put aside.

    Attributes:
        mark: Which run did it, when, and which snapshot took its place.
        open: Whether anybody may connect: only while it is read, or if that was killed.
        bytes: Its size; None: the role may not ask.
    """

    name: str
    mark: Mark
    open: bool
    bytes: int | None

    @property
    def at(self) -> datetime:
        """When it was put aside, by the server's clock."""
        return datetime.fromisoformat(self.mark.at or "1970-01-01T00:00:00Z").astimezone(UTC)


def put_aside(access: Access, database: str) -> Sequence[Aside]:
    """Those of this database, oldest first.

    Raises:
        SystemFault: the server can't be asked.
    """
    with beside(access) as connection:
        rows = connection.execute(_ASIDE, [f"{database}__"]).fetchall()
    found = [
        Aside(name=row["name"], mark=mark, open=row["open"], bytes=row["bytes"])
        for row in rows
        if (mark := mark_of(row["comment"])) and mark.state == QUARANTINED
    ]
    return sorted(found, key=lambda each: each.at)


def holding(access: Access, database: str, snapshot: str, state: str) -> list[str]:
    """Those beside this database that were made of a snapshot and have come to this state.

    Raises:
        SystemFault: the server can't be asked.
    """
    with beside(access) as connection:
        rows = connection.execute(_ASIDE, [f"{database}__"]).fetchall()
    marks = {row["name"]: mark_of(row["comment"]) for row in rows}
    return [name for name, mark in marks.items() if mark and (mark.snapshot, mark.state) == (snapshot, state)]


@contextlib.contextmanager
def readable(access: Access, name: str) -> Iterator[None]:
    """Let clients into a database for the time of a block. Its name is nobody's but this tool's."""
    with beside(access) as connection:
        connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(sql.Identifier(name)))
    try:
        yield
    finally:
        with beside(access) as connection:
            connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))


def discard(access: Access, name: str) -> bool:
    """Drop it; False: somebody is connected to it, so it is still there. Raises SystemFault if we may not."""
    with beside(access) as connection:
        return not sessions(connection, name) and drop_unused(connection, name)


def is_there(access: Access, name: str) -> bool:
    with beside(access) as connection:
        return exists(connection, name)
