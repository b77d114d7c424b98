"""Where a database's schema is, as Alembic keeps it."""

from __future__ import annotations

from psycopg import sql

from runbooks.systems.postgres.access import Access
from runbooks.systems.postgres.client import Connection
from runbooks.systems.postgres.fingerprint import Table, tables

TABLE = "alembic_version"
"""The table in which Alembic keeps it."""


def heads(connection: Connection, table: Table) -> list[str]:
    """The revisions in one such table."""
    query = sql.SQL("SELECT version_num FROM {} ORDER BY 1").format(table.qualified)
    return [row["version_num"] for row in connection.execute(query).fetchall()]


def heads_of(access: Access) -> tuple[str, ...]:
    """Those that the database is at; none where nothing was migrated. Raises SystemFault if it can't be asked."""
    with access.connection() as connection:
        holding = [table for table in tables(connection) if table.name == TABLE]
        return tuple(head for table in holding for head in heads(connection, table))
