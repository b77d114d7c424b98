"""A table beside an encrypted column that holds each of its values under the key before and the key after.

It lies in a schema of its own, so that nothing that looks at the application's schema sees it, is called after the run
that made it, and says in its comment what it is: a run that was killed is found by `found`. Values are ciphertexts; a
key never comes near a statement.

    building   batches are being encrypted; each is there whole or not at all
    swapped    the column holds the values under the new key; those under the old one are here, for the way back
"""

from __future__ import annotations

import contextlib
import enum
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from runbooks.systems.postgres.client import Connection

SCHEMA = "runbooks"
LOWEST = -(2**63)


class SideStage(enum.StrEnum):
    """How far a side table has come."""

    BUILDING = "building"
    SWAPPED = "swapped"


@dataclass(frozen=True)
class Column:
    """A column of encrypted values in a table whose rows are told apart by a whole number."""

    schema: str
    table: str
    column: str
    key: str = "id"

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}.{self.column}"

    def exists(self, connection: Connection) -> bool:
        """Whether the connection's database has it."""
        asked = (
            "SELECT FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid"
            " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = %s AND c.relname = %s AND a.attname = %s AND NOT a.attisdropped"
        )
        return connection.execute(asked, [self.schema, self.table, self.column]).fetchone() is not None


@dataclass(frozen=True)
class SideTable:
    """The one that a run makes for a column."""

    column: Column
    run: str

    @property
    def name(self) -> str:
        """Its name in our schema."""
        return f"reencryption_{hashlib.sha256(self.run.encode()).hexdigest()[:12]}"

    def __str__(self) -> str:
        return f"{SCHEMA}.{self.name}"

    def statement(self, template: str, **more: sql.Composable) -> sql.Composed:
        """A statement with {side}, {batches}, {table}, {key} and {value} filled in."""
        column = self.column
        return sql.SQL(template).format(
            side=sql.Identifier(SCHEMA, self.name),
            batches=sql.Identifier(SCHEMA, f"{self.name}_batches"),
            table=sql.Identifier(column.schema, column.table),
            key=sql.Identifier(column.key),
            value=sql.Identifier(column.column),
            **more,
        )

    def stage(self, connection: Connection) -> SideStage | None:
        """How far it has come; None: there is none."""
        row = connection.execute(
            "SELECT pg_catalog.obj_description(pg_catalog.to_regclass(%s), 'pg_class') AS comment", [str(self)]
        ).fetchone()
        known = _mark(row["comment"]) if row and row["comment"] else None
        return SideStage(known["stage"]) if known else None

    def set_stage(self, connection: Connection, stage: SideStage) -> None:
        """Say so in its comment; true once the transaction is."""
        comment = {"run": self.run, "of": str(self.column), "stage": stage}
        text = sql.Literal(json.dumps(comment))
        connection.execute(self.statement("COMMENT ON TABLE {side} IS {text}", text=text))

    def create(self, connection: Connection) -> None:
        """Make it, unless it is there."""
        with connection.transaction():
            if self.stage(connection):
                return
            exists = "SELECT FROM pg_catalog.pg_namespace WHERE nspname = %s"
            if connection.execute(exists, [SCHEMA]).fetchone() is None:  # a row without columns is empty, and there
                connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(SCHEMA)))
            connection.execute(
                self.statement("CREATE TABLE {side} (id bigint PRIMARY KEY, old text NOT NULL, new text NOT NULL)")
            )
            connection.execute(
                self.statement(
                    "CREATE TABLE {batches} (low bigint NOT NULL, high bigint PRIMARY KEY,"
                    " done boolean NOT NULL DEFAULT false)"
                )
            )
            self.set_stage(connection, SideStage.BUILDING)

    def plan_batches(self, connection: Connection, rows: int) -> Sequence[int]:
        """Cut what has come since into batches of so many rows; the ends of all that are not done."""
        with connection.transaction():
            row = connection.execute(self.statement("SELECT max(high) AS high FROM {batches}")).fetchone()
            start = LOWEST if not row or row["high"] is None else row["high"]
            connection.execute(
                self.statement(
                    "INSERT INTO {batches} (low, high)"
                    " SELECT pg_catalog.lag(high, 1, %s::bigint) OVER (ORDER BY high), high"
                    " FROM (SELECT max(n.key) AS high FROM"
                    "  (SELECT {key}::bigint AS key, (pg_catalog.row_number() OVER (ORDER BY {key}) - 1) / %s AS batch"
                    "   FROM {table} WHERE {key} > %s) n GROUP BY n.batch) ends"
                ),
                [start, rows, start],
            )
            left = connection.execute(self.statement("SELECT high FROM {batches} WHERE NOT done ORDER BY high"))
            return [row["high"] for row in left.fetchall()]

    def complete(self, connection: Connection) -> bool:
        """Whether batches have been cut, or there was nothing to cut, and all of them are done."""
        row = connection.execute(self.statement("SELECT bool_and(done) AS done FROM {batches}")).fetchone()
        rows = connection.execute(self.statement("SELECT FROM {table} LIMIT 1")).fetchone()
        return bool(row and row["done"]) or rows is None

    def drop(self, connection: Connection) -> bool:
        """Remove it, and our schema with the last one; whether there was one."""
        with connection.transaction():
            if not self.stage(connection):
                return False
            connection.execute(self.statement("DROP TABLE {side}, {batches}"))
            kept = "SELECT FROM pg_catalog.pg_class WHERE relnamespace = pg_catalog.to_regnamespace(%s)"
            if connection.execute(kept, [SCHEMA]).fetchone() is None:
                connection.execute(sql.SQL("DROP SCHEMA {}").format(sql.Identifier(SCHEMA)))
        return True


def found(connection: Connection) -> Iterator[tuple[SideTable, SideStage]]:
    """Every side table of the database, so that what a killed run has left can be pruned."""
    rows = connection.execute(
        "SELECT pg_catalog.obj_description(oid, 'pg_class') AS comment FROM pg_catalog.pg_class"
        " WHERE relnamespace = pg_catalog.to_regnamespace(%s) AND relkind = 'r' ORDER BY relname",
        [SCHEMA],
    ).fetchall()
    for row in rows:
        if known := _mark(row["comment"] or ""):
            schema, table, column = known["of"].split(".")
            yield SideTable(Column(schema, table, column), known["run"]), SideStage(known["stage"])


def _mark(comment: str) -> dict[str, Any] | None:
    with contextlib.suppress(ValueError):
        known = json.loads(comment)
        if isinstance(known, dict) and {"run", "of", "stage"} <= known.keys():
            return known
    return None
