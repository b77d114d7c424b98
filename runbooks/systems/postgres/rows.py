"""Which rows one database has that another lacks, has otherwise, or has besides, table by table.

Both are read in the order of a hash of each row's key, side by side, so memory stays flat. Where a table has no primary
key, a row is its own key: then it is added or gone, never changed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from psycopg import sql

from runbooks.systems.postgres.client import Connection
from runbooks.systems.postgres.fingerprint import Column, Table, columns_of, hashed

_KEY = """
SELECT a.attname AS name
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
WHERE i.indisprimary AND i.indrelid = pg_catalog.to_regclass(%s) ORDER BY a.attname COLLATE "C"
"""
FETCHED_AT_ONCE = 5000


@dataclass(frozen=True)
class Row:
    """Where a row is, in the moment that its connection sees, and the hashes by which it is compared."""

    key: int
    hash: int
    ctid: str


@dataclass(frozen=True)
class Difference:
    """One row's. ``here``: as the first database has it, None: not at all; ``there``: as the second."""

    here: Row | None
    there: Row | None


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A table of two databases.

    Attributes:
        shared: The columns that both have; rows are compared by these.
        only_here: Names of columns that the second database's table lacks.
        key: Names of the primary key's columns, where both have the same; empty: rows are compared as wholes.
    """

    table: Table
    shared: Sequence[Column]
    only_here: Sequence[str]
    key: Sequence[str]


def pair(table: Table, here: Connection, there: Connection) -> Pair:
    """What a table has in common in two databases that both have it."""
    ours, theirs = columns_of(here, table), columns_of(there, table)
    names = {column.name for column in theirs}
    key, other = (_key(connection, table) for connection in (here, there))
    return Pair(
        table=table,
        shared=[column for column in ours if column.name in names],
        only_here=[column.name for column in ours if column.name not in names],
        key=key if key == other else [],
    )


def differences(of: Pair, here: Connection, there: Connection) -> Iterator[Difference]:
    """Every row that is not the same in both; each connection is within a transaction that sees one moment."""
    merged = _merge(_rows(of, here), _rows(of, there))
    for ours, theirs in merged:
        equal = {row.hash: 0 for row in ours} | {row.hash: 0 for row in theirs}
        for each in equal:
            equal[each] = min(sum(r.hash == each for r in ours), sum(r.hash == each for r in theirs))
        left, right = (_without(rows, dict(equal)) for rows in (ours, theirs))
        for one, other in itertools.zip_longest(left, right):
            yield Difference(one, other)


def write(connection: Connection, table: Table, ctids: Sequence[str], target: BinaryIO) -> None:
    """Append these rows as CSV, all columns, in UTF-8; ahead of the first the names of the columns."""
    statement = sql.SQL(
        "COPY (SELECT * FROM ONLY {} WHERE ctid = ANY ({}::tid[])) TO STDOUT (FORMAT csv, ENCODING 'UTF8', HEADER {})"
    )
    places = "{" + ",".join(f'"{each}"' for each in ctids) + "}"
    header = sql.SQL("false" if target.tell() else "true")
    with connection.cursor().copy(statement.format(table.qualified, places, header)) as copy:
        target.writelines(bytes(block) for block in copy)


def write_all(connection: Connection, table: Table, target: BinaryIO) -> None:
    """All of a table's rows, as `write` does it."""
    statement = sql.SQL("COPY (SELECT * FROM ONLY {}) TO STDOUT (FORMAT csv, ENCODING 'UTF8', HEADER true)")
    with connection.cursor().copy(statement.format(table.qualified)) as copy:
        target.writelines(bytes(block) for block in copy)


def count(connection: Connection, table: Table) -> int:
    """How many rows a table has."""
    row = connection.execute(sql.SQL("SELECT count(*) AS count FROM ONLY {}").format(table.qualified)).fetchone()
    assert row
    return int(row["count"])


def _rows(of: Pair, connection: Connection) -> Iterator[Row]:
    row = _hash(of.shared)
    key = _hash([column for column in of.shared if column.name in of.key]) if of.key else row
    statement = sql.SQL("SELECT {} AS key, {} AS hash, ctid::text AS ctid FROM ONLY {} ORDER BY 1, 2").format(
        key, row, of.table.qualified
    )
    with connection.cursor(f"rows_{id(of):x}") as cursor:
        cursor.itersize = FETCHED_AT_ONCE
        cursor.execute(statement)
        for found in cursor:
            yield Row(**found)


def _hash(columns: Sequence[Column]) -> sql.Composable:
    if not columns:
        return sql.SQL("0::int8")
    return sql.SQL("pg_catalog.hash_record_extended(ROW({}), 0)").format(sql.SQL(", ").join(map(hashed, columns)))


def _merge(here: Iterator[Row], there: Iterator[Row]) -> Iterator[tuple[list[Row], list[Row]]]:
    """The rows of each key, of both sides."""
    ours, theirs = (_grouped(rows) for rows in (here, there))
    one, other = next(ours, None), next(theirs, None)
    while one or other:
        if other is None or (one is not None and one[0] < other[0]):
            assert one
            yield one[1], []
            one = next(ours, None)
        elif one is None or other[0] < one[0]:
            yield [], other[1]
            other = next(theirs, None)
        else:
            yield one[1], other[1]
            one, other = next(ours, None), next(theirs, None)


def _grouped(rows: Iterable[Row]) -> Iterator[tuple[int, list[Row]]]:
    for key, group in itertools.groupby(rows, key=lambda row: row.key):
        yield key, list(group)


def _without(rows: Iterable[Row], equal: dict[int, int]) -> Iterator[Row]:
    """The rows but for so many of each hash."""
    for row in rows:
        if equal[row.hash] > 0:
            equal[row.hash] -= 1
        else:
            yield row


def _key(connection: Connection, table: Table) -> list[str]:
    found: list[dict[str, Any]] = connection.execute(_KEY, [table.identifier]).fetchall()
    return [row["name"] for row in found]
