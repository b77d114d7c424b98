"""A database described, so that its copy can be compared with it; and the comparison."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from psycopg import sql

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.postgres.catalogue import catalogue, differences
from runbooks.systems.postgres.client import Connection
from runbooks.systems.postgres.databases import difference, properties, roles
from runbooks.systems.postgres.fingerprint import Table, large_objects, tables
from runbooks.systems.postgres.heads import TABLE, heads
from runbooks.systems.postgres.records import Fingerprint
from runbooks.systems.snapshots.manifest import Contents

_VECTOR_INDEXES = """
SELECT coalesce(max((c.reltuples * (greatest(a.atttypmod, 0) * 4 + 16 * coalesce(
           (SELECT pg_catalog.split_part(o, '=', 2)::int
            FROM pg_catalog.unnest(c.reloptions) o WHERE o LIKE 'm=%'), 16) + 100))::bigint), 0) AS bytes
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_am m ON m.oid = c.relam AND m.amname = 'hnsw'
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = 1
WHERE c.relkind = 'i'
"""

_SYSTEM = """
SELECT CASE WHEN pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')
       THEN (SELECT system_identifier::text FROM pg_catalog.pg_control_system()) END AS id
"""


@dataclass(frozen=True, kw_only=True)
class Portrait:
    """All of a database but its rows' fingerprints, which take longer and several connections.

    Attributes:
        tables: Those that hold rows, the biggest first.
        contents: Without ``tables``.
        system: The cluster's identifier, if the role may read it.
    """

    tables: Sequence[Table]
    contents: Contents
    heads: tuple[str, ...]
    system: str | None


def describe(connection: Connection, database: str) -> Portrait:
    """The database as the connection sees it; see `snapshot.seeing`."""
    found = properties(connection, database)
    assert found, "the connection is to it"
    known = catalogue(connection)
    holding = tables(connection)
    memory = connection.execute(_VECTOR_INDEXES).fetchone()
    system = connection.execute(_SYSTEM).fetchone()
    assert memory
    assert system
    contents = Contents(
        tables={},
        large_objects=large_objects(connection),
        catalogue=known,
        properties=found,
        roles=roles(connection),
        not_dumped=tuple(name for name, words in known["tables"].items() if words.split(" ")[0] == "foreign"),
        vector_memory=memory["bytes"],
    )
    at = tuple(head for table in holding if table.name == TABLE for head in heads(connection, table))
    return Portrait(tables=holding, contents=contents, heads=at, system=system["id"])


def unequal(recorded: Contents, found: Contents) -> Iterator[str]:
    """What a copy is otherwise than the contents that were recorded, each in a sentence.

    Raises:
        SystemFault: nothing was recorded that could be compared; that is no proof.
    """
    if not recorded.tables:
        raise SystemFault(
            "the snapshot holds no table, so there is nothing to prove", reason=Reason.BAD_ANSWER, found="no tables"
        )
    yield from unequal_rows(recorded.tables, found.tables)
    if recorded.large_objects != found.large_objects:
        yield f"large objects: {_compared(recorded.large_objects, found.large_objects)}"
    yield from differences(recorded.catalogue, found.catalogue)
    yield from difference(recorded.properties, found.properties)


def unequal_rows(recorded: Mapping[str, Fingerprint], found: Mapping[str, Fingerprint]) -> Iterator[str]:
    """The tables whose rows are not those that were recorded."""
    for name in sorted({*recorded, *found}):
        before, now = recorded.get(name), found.get(name)
        if before == now:
            continue
        if before is None or now is None:
            yield f"rows: {name} {'is missing' if now is None else 'was not there'}"
        else:
            yield f"rows: {name} {_compared(before, now)}"


def _compared(before: Fingerprint, now: Fingerprint) -> str:
    if before.rows != now.rows:
        return f"has {now.rows} rows, had {before.rows}"
    return f"has other values in its {now.rows} rows"


def unequal_sequences(recorded: Mapping[str, tuple[int, bool]], connection: Connection) -> Iterator[str]:
    """The sequences that do not stand where the archive sets them."""
    for name, wanted in sorted(recorded.items()):
        there = connection.execute("SELECT pg_catalog.to_regclass(%s) IS NOT NULL AS there", [name]).fetchone()
        if not (there and there["there"]):
            yield f"sequences: {name} is missing"
            continue
        # The name is quoted already, as pg_dump writes it and to_regclass has just understood.
        row = connection.execute(sql.SQL("SELECT last_value, is_called FROM {}").format(sql.SQL(name))).fetchone()
        assert row
        now = (row["last_value"], row["is_called"])
        if now != wanted:
            yield f"sequences: {name} is at {_at(now)}, was at {_at(wanted)}"


def _at(value: tuple[int, bool]) -> str:
    return f"{value[0]}{'' if value[1] else ' (not yet used)'}"
