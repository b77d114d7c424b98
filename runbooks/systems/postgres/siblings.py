"""The databases beside the application's own that this tool has made: which there are, and dropping what is scratch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from runbooks.systems.postgres.access import Access
from runbooks.systems.postgres.client import Connection
from runbooks.systems.postgres.databases import Mark, mark_of

_SIBLINGS = """
SELECT d.datname::text AS name, pg_catalog.shobj_description(d.oid, 'pg_database') AS comment,
       d.datallowconn AS open,
       (SELECT count(*) FROM pg_catalog.pg_stat_activity a
        WHERE a.datid = d.oid AND a.backend_type = 'client backend') AS sessions
FROM pg_catalog.pg_database d
WHERE pg_catalog.starts_with(d.datname::text, %s) ORDER BY 1
"""
_RELATIONS = """
SELECT count(*) AS count FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%'
"""


@dataclass(frozen=True, kw_only=True)
class Sibling:
    """A database whose name begins with the application's own and two underscores.

    Attributes:
        mark: What its comment says; None: nothing of ours.
        sessions: How many clients are connected to it.
        blank: Whether it is as `CREATE DATABASE` has left it: no mark, no comment, and nothing in it.
    """

    name: str
    mark: Mark | None
    sessions: int
    blank: bool = False


def siblings(access: Access, database: str) -> Sequence[Sibling]:
    """Those of this database. Raises SystemFault if the server can't be asked."""
    with access.connection() as connection:
        rows = connection.execute(_SIBLINGS, [f"{database}__"]).fetchall()
    ours = re.compile(rf"{re.escape(database)}__restore_\d{{8}}_[a-z0-9]{{4}}")
    return [
        Sibling(
            name=row["name"],
            mark=mark_of(row["comment"]),
            sessions=row["sessions"],
            blank=bool(ours.fullmatch(row["name"])) and row["comment"] is None and row["open"] and _empty(access, row),
        )
        for row in rows
    ]


def drop_unused(connection: Connection, name: str) -> bool:
    """Drop a database unless somebody is connected to it; whether it is gone.

    PostgreSQL waits up to five seconds for sessions that are just ending, then refuses.
    """
    try:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
    except psycopg.errors.ObjectInUse:
        return False
    return True


def _empty(access: Access, row: dict[str, object]) -> bool:
    with access.connection(str(row["name"])) as connection:
        found = connection.execute(_RELATIONS).fetchone()
    return found is not None and not found["count"]
