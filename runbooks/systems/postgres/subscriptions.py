"""Subscriptions of a database that is to be dropped: PostgreSQL refuses to drop one that has any."""

from __future__ import annotations

from psycopg import sql

from runbooks.systems.postgres.access import Access

_OF_DATABASE = """
SELECT s.subname::text AS name FROM pg_catalog.pg_subscription s
JOIN pg_catalog.pg_database d ON d.oid = s.subdbid WHERE d.datname = %s
"""


def leave_publishers(access: Access, database: str) -> None:
    """Remove the subscriptions of a database, if it has any.

    A restored subscription carries the name of the live one's slot: it is forgotten first, or the publisher would be
    asked to drop it.

    Raises:
        SystemFault: the server can't be asked, or refuses.
    """
    with access.connection() as connection:
        names = [sql.Identifier(row["name"]) for row in connection.execute(_OF_DATABASE, [database]).fetchall()]
    if not names:
        return
    with access.connection(database) as inside:
        for name in names:
            inside.execute(sql.SQL("ALTER SUBSCRIPTION {} DISABLE").format(name))
            inside.execute(sql.SQL("ALTER SUBSCRIPTION {} SET (slot_name = NONE)").format(name))
            inside.execute(sql.SQL("DROP SUBSCRIPTION {}").format(name))
