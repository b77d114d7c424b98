"""Counts rows no further than it has to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from psycopg import sql

if TYPE_CHECKING:
    from runbooks.systems.postgres.client import Connection


def at_least(connection: Connection, wanted: Mapping[str, int]) -> dict[str, int]:
    """How many rows each table holds, counted up to the number that is wanted; 0 if there is no such table."""
    found = {}
    for table, least in wanted.items():
        name = sql.Identifier(table)
        there = connection.execute("SELECT to_regclass(%s) AS there", [name.as_string(connection)]).fetchone()
        found[table] = 0
        if there and there["there"]:
            statement = sql.SQL("SELECT count(*) AS rows FROM (SELECT 1 FROM {} LIMIT {}) counted")
            counted = connection.execute(statement.format(name, sql.Literal(least))).fetchone()
            found[table] = int(counted["rows"]) if counted else 0
    return found
