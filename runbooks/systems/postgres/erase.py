"""Deletes rows together with the rows that refer to them, and no more than were foreseen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from psycopg import sql

from runbooks.engine.errors import Reason, SystemFault

if TYPE_CHECKING:
    from runbooks.systems.postgres.client import Connection

_REFERRING = """
WITH RECURSIVE referring(oid, depth) AS (
    SELECT to_regclass(%(table)s)::oid, 0
    UNION
    SELECT c.conrelid, r.depth + 1 FROM pg_constraint c JOIN referring r ON c.confrelid = r.oid
    WHERE c.contype = 'f' AND c.conrelid <> c.confrelid AND r.depth < 10
)
SELECT n.nspname AS schema, t.relname AS table, a.attname AS column, max(r.depth) AS depth
FROM referring r
JOIN pg_constraint c ON c.conrelid = r.oid AND c.contype = 'f' AND c.confrelid = to_regclass(%(table)s)
JOIN pg_class t ON t.oid = c.conrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
GROUP BY 1, 2, 3 ORDER BY depth DESC, 1, 2, 3
"""


def erase(connection: Connection, table: str, ids: Sequence[int], *, most_rows: int) -> dict[str, int]:
    """Delete these rows of a table, and before them all rows that refer to them.

    Call it inside a transaction, which an error must roll back.

    Args:
        table: Its name; its rows are told apart by a column ``id``.
        most_rows: How many rows any one table may lose.

    Returns:
        How many rows went, by table; only tables that lost some.

    Raises:
        SystemFault: a table would lose more.
    """
    rows = connection.execute(_REFERRING, {"table": sql.Identifier(table).as_string(connection)}).fetchall()
    counts: dict[str, int] = {}
    for row in rows:
        name = sql.Identifier(str(row["schema"]), str(row["table"]))
        lost = _delete(connection, name, str(row["column"]), ids)
        counts[row["table"]] = counts.get(row["table"], 0) + lost
        if counts[row["table"]] > most_rows:
            raise _too_many(str(row["table"]), counts[row["table"]], most_rows)
    counts[table] = _delete(connection, sql.Identifier(table), "id", ids)
    return {name: count for name, count in counts.items() if count}


def _delete(connection: Connection, table: sql.Identifier, column: str, ids: Sequence[int]) -> int:
    statement = sql.SQL("DELETE FROM {} WHERE {} = ANY(%s)").format(table, sql.Identifier(column))
    return connection.execute(statement, [list(ids)]).rowcount


def _too_many(table: str, count: int, most_rows: int) -> SystemFault:
    return SystemFault(
        "a table would lose more rows than test users can have caused, so nothing was erased",
        reason=Reason.FAILED,
        where=table,
        found=f"{count} rows, at most {most_rows} are explained",
        mend="look at these users before they are erased by hand",
    )
