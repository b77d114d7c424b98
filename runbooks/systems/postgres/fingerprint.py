"""A fingerprint per table: how many rows it has, and a sum over a hash of each row that no order changes.

A column is hashed by its type's own hash where equal hashes mean equal values, and by its wire or text form where they
do not: 1.0 and 1.00, 0 and -0, one month and thirty days are equal to PostgreSQL, and an enum hashes by its oid.
Sums, because xor would take a pair of equal rows for none. The record's hash is hashed again, because by itself it is a
linear function of its columns' hashes: values that two rows exchange would leave its sum as it was.
"""

from __future__ import annotations

import concurrent.futures
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from psycopg import sql

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.postgres.access import Access
from runbooks.systems.postgres.client import Connection
from runbooks.systems.postgres.records import Fingerprint
from runbooks.systems.postgres.snapshot import Moment, seeing

_NATIVE = frozenset(
    (
        *("int2", "int4", "int8", "bool", "uuid", "date", "timestamp", "timestamptz", "time", "bytea"),
        *("inet", "cidr", "macaddr", "macaddr8", "name"),
    )
)
_COLLATED = frozenset(("text", "varchar", "bpchar"))
_SENT: Mapping[str, str] = {
    "float4": "float4send",
    "float8": "float8send",
    "numeric": "numeric_send",
    "interval": "interval_send",
    "timetz": "timetz_send",
    "bit": "bit_send",
    "varbit": "varbit_send",
    "point": "point_send",
}
_VECTORS: Mapping[str, str] = {"vector": "vector_send", "halfvec": "halfvec_send", "sparsevec": "sparsevec_send"}

_TABLES = """
SELECT n.nspname AS schema, c.relname AS name, pg_catalog.pg_table_size(c.oid) AS bytes
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e'
      -- of an extension's own tables pg_dump takes those that it declares to hold users' data
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_extension e
                      WHERE e.oid = d.refobjid
                        AND e.extcondition[pg_catalog.array_position(e.extconfig, c.oid)] = ''))
ORDER BY bytes DESC, schema, name
"""

_COLUMNS = """
SELECT a.attname AS name, t.typname AS type, tn.nspname AS schema, t.typtype AS kind
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
WHERE a.attrelid = pg_catalog.to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attname COLLATE "C"
"""

_LARGE_OBJECTS = """
SELECT count(*) AS rows,
       coalesce(sum(pg_catalog.hashtextextended(
           oid::text || pg_catalog.encode(pg_catalog.sha256(pg_catalog.lo_get(oid)), 'hex') COLLATE "C", 0)), 0)::text
       AS sum
FROM pg_catalog.pg_largeobject_metadata
"""


@dataclass(frozen=True)
class Column:
    """A column and its type: ``schema`` is the type's, ``kind`` is pg_type's typtype."""

    name: str
    type: str
    schema: str
    kind: str


@dataclass(frozen=True)
class Table:
    """A table that holds rows of its own; ``bytes`` is what they take on disk."""

    schema: str
    name: str
    bytes: int

    @property
    def qualified(self) -> sql.Identifier:
        """Its name, always with its schema."""
        return sql.Identifier(self.schema, self.name)

    @property
    def identifier(self) -> str:
        """The same as SQL writes it."""
        return self.qualified.as_string(None)


def hashed(column: Column) -> sql.Composable:
    """The expression that goes into a row's hash for this column."""
    name = sql.Identifier(column.name)
    if column.schema == "pg_catalog" and column.kind == "b":
        if column.type in _NATIVE:
            return name
        if column.type in _COLLATED:
            return sql.SQL('{} COLLATE "C"').format(name)
        if column.type in _SENT:
            return sql.SQL("pg_catalog.{}({})").format(sql.Identifier(_SENT[column.type]), name)
    elif column.type in _VECTORS and column.kind == "b":
        return sql.SQL("{}({})").format(sql.Identifier(column.schema, _VECTORS[column.type]), name)
    return sql.SQL('({}::pg_catalog.text) COLLATE "C"').format(name)


def question(table: Table, columns: Sequence[Column]) -> sql.Composed:
    """The statement that fingerprints a table."""
    target = sql.Identifier(table.schema, table.name)
    if not columns:
        return sql.SQL("SELECT count(*) AS rows, '0' AS sum FROM ONLY {}").format(target)
    row = sql.SQL(", ").join(map(hashed, columns))
    return sql.SQL(
        "SELECT count(*) AS rows,"
        # As bytes: the hash of a bigint folds it to 32 bits first.
        " coalesce(sum(pg_catalog.hashbyteaextended(pg_catalog.int8send("
        "pg_catalog.hash_record_extended(ROW({}), 0)), 0)), 0)::text AS sum FROM ONLY {}"
    ).format(row, target)


def tables(connection: Connection) -> list[Table]:
    """Every table that a dump holds rows of, the biggest first."""
    return [Table(**row) for row in connection.execute(_TABLES).fetchall()]


def columns_of(connection: Connection, table: Table) -> list[Column]:
    """A table's columns by name; none if there is no such table."""
    return [Column(**row) for row in connection.execute(_COLUMNS, [table.identifier]).fetchall()]


def fingerprint(connection: Connection, table: Table) -> Fingerprint:
    """Of one table, as the connection sees it. See `snapshot.seeing`."""
    row = connection.execute(question(table, columns_of(connection, table))).fetchone()
    assert row
    return Fingerprint(row["rows"], row["sum"])


def large_objects(connection: Connection) -> Fingerprint:
    """Of all large objects: how many, and the sum over oid and content. One must fit into the server's memory."""
    row = connection.execute(_LARGE_OBJECTS).fetchone()
    assert row
    return Fingerprint(row["rows"], row["sum"])


def fingerprints(
    access: Access,
    wanted: Sequence[Table],
    *,
    moment: Moment | None = None,
    database: str | None = None,
    jobs: int,
    stopping: threading.Event,
    on_done: Callable[[Table], None] = lambda _table: None,
) -> dict[str, Fingerprint]:
    """Fingerprints of these tables by their identifiers, several at a time, each seen at the moment.

    Raises:
        SystemFault: a table can't be read, or the operator asked to stop.
    """
    left: queue.SimpleQueue[Table] = queue.SimpleQueue()
    for table in wanted:
        left.put(table)
    found: dict[str, Fingerprint] = {}
    failed = threading.Event()

    def work() -> None:
        try:
            with seeing(access, moment, database) as connection:
                while not failed.is_set():
                    try:
                        table = left.get_nowait()
                    except queue.Empty:
                        return
                    if stopping.is_set():
                        raise SystemFault("stopped between two tables", reason=Reason.FAILED)
                    found[table.identifier] = fingerprint(connection, table)
                    on_done(table)
        except BaseException:
            failed.set()
            raise

    workers = max(1, min(jobs, len(wanted)))
    with concurrent.futures.ThreadPoolExecutor(workers, thread_name_prefix="fingerprint") as pool:
        for future in [pool.submit(work) for _ in range(workers)]:
            future.result()
    return found
