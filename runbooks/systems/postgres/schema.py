"""What a database's tables are made of, read from its catalogue and compared with what they should be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, LiteralString

from runbooks.systems.postgres.client import Database

TABLES: LiteralString = (
    "SELECT relname FROM pg_class c WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"
    " AND relname <> 'alembic_version'"
    " AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')"
)
"""Those that unqualified names mean, without those of extensions."""

COLUMNS: LiteralString = (
    "SELECT c.relname AS place, a.attname AS name, format_type(a.atttypid, a.atttypmod)"
    " || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END AS definition"
    " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
    " WHERE c.relnamespace = current_schema()::regnamespace AND a.attnum > 0 AND NOT a.attisdropped"
)
CONSTRAINTS: LiteralString = (
    # Since PostgreSQL 18 "not null" is among them; the columns have it already.
    "SELECT c.relname AS place, pg_get_constraintdef(o.oid) AS definition"
    " FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid"
    " WHERE c.relnamespace = current_schema()::regnamespace AND o.contype <> 'n'"
)
INDEXES: LiteralString = (
    "SELECT c.relname AS place, replace(pg_get_indexdef(i.indexrelid), current_schema() || '.', '') AS definition"
    " FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
    " WHERE c.relnamespace = current_schema()::regnamespace"
    " AND NOT EXISTS (SELECT FROM pg_constraint o WHERE o.conindid = i.indexrelid)"
)


@dataclass(frozen=True)
class Schema:
    """Tables by name, each with its columns by name (type and ``NOT NULL``), and with its constraints and indexes."""

    columns: Mapping[str, Mapping[str, str]]
    rules: Mapping[str, frozenset[str]]

    def as_json(self) -> dict[str, Any]:
        """What `from_json` takes."""
        return {"columns": self.columns, "rules": {table: sorted(rules) for table, rules in self.rules.items()}}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Schema:
        """What was written; raises KeyError, TypeError or AttributeError if it is something else."""
        return cls(
            {table: dict(columns) for table, columns in data["columns"].items()},
            {table: frozenset(rules) for table, rules in data["rules"].items()},
        )


def read_schema(database: Database) -> Schema:
    """The tables that unqualified names mean there, without those of extensions.

    Raises:
        SystemFault: the database can't be asked.
    """
    columns: dict[str, dict[str, str]] = {row["relname"]: {} for row in database.rows(TABLES)}
    rules: dict[str, set[str]] = {table: set() for table in columns}
    for row in database.rows(COLUMNS):
        if row["place"] in columns:
            columns[row["place"]][row["name"]] = row["definition"]
    for row in (*database.rows(CONSTRAINTS), *database.rows(INDEXES)):
        if row["place"] in rules:
            rules[row["place"]].add(row["definition"])
    return Schema(columns, {table: frozenset(each) for table, each in rules.items()})


def differences(wanted: Schema, there: Schema) -> list[str]:
    """In which the database is behind or beside what the release's migrations make, a sentence each.

    Tables and indexes that only the database has are an operator's own business; see `strangers`.
    """
    found = []
    for table, columns in sorted(wanted.columns.items()):
        present = there.columns.get(table)
        if present is None:
            found.append(f"table {table} is missing")
            continue
        found += [f"{table}.{name} is missing" for name in sorted(columns.keys() - present.keys())]
        found += [
            f"{table}.{name} is {present[name]} instead of {definition}"
            for name, definition in sorted(columns.items())
            if present.get(name, definition) != definition
        ]
        found += [f"{table}.{name} is made by no migration" for name in sorted(present.keys() - columns.keys())]
        lost = wanted.rules.get(table, frozenset()) - there.rules.get(table, frozenset())
        found += [f"{table} has lost {rule}" for rule in sorted(lost) if _is_about(rule, present)]
    return found


def strangers(wanted: Schema, there: Schema) -> list[str]:
    """Tables that no migration makes."""
    return sorted(there.columns.keys() - wanted.columns.keys())


def _is_about(rule: str, present: Iterable[str]) -> bool:
    """Whether the first column that a rule names is there: what a missing one took along is not told twice."""
    inside = rule.partition("(")[2].partition(")")[0]
    names = [part.strip().strip('"').split(" ")[0] for part in inside.split(",")]
    return not names or names[0] in present or not names[0].isidentifier()
