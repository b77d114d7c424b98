"""Finds what is left of a row that was deleted: its number in what refers to it, and a text of its own anywhere."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from psycopg import sql

if TYPE_CHECKING:
    from runbooks.systems.postgres.client import Connection

_COLUMNS = """
WITH referring AS (
    SELECT c.conrelid, a.attnum, a.attname
    FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
    WHERE c.contype = 'f' AND c.confrelid = to_regclass(%(table)s)
)
SELECT n.nspname AS schema, t.relname AS table, a.attname AS column,
       (a.attrelid = to_regclass(%(table)s) AND a.attname = 'id')
       OR EXISTS (SELECT 1 FROM referring r WHERE r.conrelid = a.attrelid AND r.attnum = a.attnum)
       -- one that nobody declared as a reference, but that is called as one
       OR (a.attname IN (SELECT attname FROM referring) AND y.typcategory IN ('N', 'S')) AS refers,
       y.typcategory = 'S' OR y.typname IN ('json', 'jsonb', 'xml') OR e.typcategory = 'S' AS text
FROM pg_attribute a
JOIN pg_class t ON t.oid = a.attrelid AND t.relkind IN ('r', 'p', 'm') AND NOT t.relispartition
JOIN pg_namespace n ON n.oid = t.relnamespace
JOIN pg_type y ON y.oid = a.atttypid
LEFT JOIN pg_type e ON e.oid = y.typelem AND y.typcategory = 'A'
WHERE a.attnum > 0 AND NOT a.attisdropped AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY 1, 2, a.attnum
"""


def traces(connection: Connection, table: str, id: int, text: str) -> tuple[int, dict[str, int]]:
    """Look through every table of the database.

    Args:
        table: Where the row was, told apart by a column ``id``.
        id: Its number, looked for in columns that refer to the table, or are called as those that do.
        text: An address, looked for by itself inside every text, in capital and small letters, JSON included.

    Returns:
        How many tables were looked through; and how many rows each ``table.column`` still holds, if any.
    """
    quoted = sql.Identifier(table).as_string(connection)
    tables: dict[tuple[str, str], list[tuple[str, sql.Composed]]] = defaultdict(list)
    for row in connection.execute(_COLUMNS, {"table": quoted}).fetchall():
        column = sql.Identifier(str(row["column"]))
        tests = []
        if row["refers"]:
            tests.append(sql.SQL("{}::text = {}").format(column, sql.Literal(str(id))))
        if row["text"]:
            # The cheap test first; then that it does not stand inside a longer address or word.
            tests.append(
                sql.SQL("strpos(lower({0}::text), {1}) > 0 AND lower({0}::text) ~ {2}").format(
                    column, sql.Literal(text.lower()), sql.Literal(_by_itself(text.lower()))
                )
            )
        if tests:
            test = sql.SQL("count(*) FILTER (WHERE {})").format(sql.SQL(" OR ").join(tests))
            tables[str(row["schema"]), str(row["table"])].append((str(row["column"]), test))
    left: dict[str, int] = {}
    for (schema, name), columns in tables.items():
        counts = [
            sql.SQL("{} AS {}").format(test, sql.Identifier(f"c{place}")) for place, (_, test) in enumerate(columns)
        ]
        statement = sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(counts), sql.Identifier(schema, name))
        found = connection.execute(statement).fetchone() or {}
        for (column_name, _), count in zip(columns, found.values(), strict=True):
            if count:
                left[f"{name}.{column_name}"] = int(count)
    return len(tables), left


def _by_itself(text: str) -> str:
    """A pattern for the address that no longer one matches: ``w-gone@…`` is somebody else."""
    return rf"(^|[^[:alnum:]._%+-]){re.escape(text)}($|[^[:alnum:]-])"
