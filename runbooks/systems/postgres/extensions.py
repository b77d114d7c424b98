"""Extensions of a restored database: in the versions and schemas that were recorded, before everything else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from psycopg import sql

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.postgres.catalogue import Catalogue
from runbooks.systems.postgres.client import Connection

_AVAILABLE = """
SELECT pg_catalog.quote_ident(name) AS name, version, superuser AND NOT trusted AS superuser,
       coalesce(requires::text[], '{}') AS requires
FROM pg_catalog.pg_available_extension_versions
"""
_IN_SCHEMA = " in schema "


def lacking_extensions(connection: Connection, wanted: Mapping[str, str]) -> Iterator[str]:
    """What of the recorded extensions the server does not offer to us.

    Args:
        wanted: Name → “version in schema …”, as the catalogue has it.
    """
    rows = connection.execute(_AVAILABLE).fetchall()
    offered = {(row["name"], row["version"]): bool(row["superuser"]) for row in rows}
    we = connection.execute("SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user").fetchone()
    for name, text in wanted.items():
        version = text.partition(_IN_SCHEMA)[0]
        if (name, version) not in offered:
            there = ", ".join(sorted(v for n, v in offered if n == name)) or "none"
            yield f"the extension {name} {version}; the server has {there}"
        elif offered[name, version] and not (we and we["rolsuper"]):
            yield f"a superuser for the extension {name}, which PostgreSQL does not trust to others"


def create_extensions(connection: Connection, recorded: Catalogue, role: str | None) -> list[str]:
    """Create the recorded extensions in an otherwise empty database; the schemas that were made for them.

    Args:
        role: Who is to own the schemas; None: as recorded.

    Raises:
        SystemFault: two of them wait for each other.
    """
    requires = {
        (row["name"], row["version"]): set(row["requires"]) for row in connection.execute(_AVAILABLE).fetchall()
    }
    present = {row["name"] for row in connection.execute("SELECT extname AS name FROM pg_catalog.pg_extension")}
    left = {name: text for name, text in recorded["extensions"].items() if name not in present}
    schemas: list[str] = []
    while left:
        ready = [
            name
            for name, text in left.items()
            if not requires.get((name, text.partition(_IN_SCHEMA)[0]), set()) & left.keys()
        ]
        if not ready:
            raise SystemFault("extensions require each other", reason=Reason.FAILED, found=", ".join(left))
        for name in ready:
            version, _, schema = left.pop(name).partition(_IN_SCHEMA)
            if schema not in ("public", "pg_catalog", *schemas):
                owner = role or _plain(recorded["owners"].get(f"schema {schema}", ""))
                _create_schema(connection, schema, owner)
                schemas.append(schema)
            statement = sql.SQL("CREATE EXTENSION {} WITH SCHEMA {} VERSION {}")
            connection.execute(statement.format(sql.SQL(name), sql.SQL(schema), version))
    return [_plain(schema) for schema in schemas]


def _create_schema(connection: Connection, schema: str, owner: str) -> None:
    tail = sql.SQL(" AUTHORIZATION {}").format(sql.Identifier(owner)) if owner else sql.SQL("")
    connection.execute(sql.SQL("CREATE SCHEMA {}{}").format(sql.SQL(schema), tail))


def _plain(name: str) -> str:
    """A name without the quotes that SQL needs around it."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
