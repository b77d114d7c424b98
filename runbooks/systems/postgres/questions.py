"""What the application asks of its database in ordinary use, asked of a restored one. Nothing is written."""

from __future__ import annotations

from psycopg import sql

from runbooks.systems.postgres.client import Connection

_THERE = "SELECT pg_catalog.to_regclass(%s) IS NOT NULL AS there"
_VECTORS = """
SELECT n.nspname::text AS schema, c.relname::text AS name, a.attname::text AS column
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid AND t.typname = 'vector'
WHERE a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, 2, 3
"""
_TOKENS = """
(SELECT encrypted_api_key AS token FROM public.user_api_config ORDER BY id LIMIT 10) UNION
(SELECT encrypted_api_key FROM public.user_api_config ORDER BY id DESC LIMIT 10)
"""


def password_hash(connection: Connection, login: str) -> str | None:
    """What is stored of the password of the user with this address or name; None: there is no such user."""
    if not _is_there(connection, 'public."user"'):
        return None
    row = connection.execute(
        'SELECT hashed_password FROM public."user" WHERE email = %(login)s OR username = %(login)s', {"login": login}
    ).fetchone()
    return str(row["hashed_password"]) if row else None


def stored_keys(connection: Connection) -> list[str]:
    """Users' own API keys as they are stored: the oldest ten, and the newest."""
    if not _is_there(connection, "public.user_api_config"):
        return []
    return [str(row["token"]) for row in connection.execute(_TOKENS).fetchall()]


def nearest(connection: Connection) -> dict[str, int]:
    """For every column of vectors that holds some: how many neighbours a search through its index finds.

    Args:
        connection: With a search path on which the vectors' operators are.
    """
    found = {}
    with connection.transaction(force_rollback=True):
        connection.execute("SET LOCAL enable_seqscan = off")  # so that a small table's index is used, too
        for row in connection.execute(_VECTORS).fetchall():
            table, column = sql.Identifier(row["schema"], row["name"]), sql.Identifier(row["column"])
            query = sql.SQL("SELECT {0} FROM {1} WHERE {0} IS NOT NULL LIMIT 1").format(column, table)
            if (one := connection.execute(query).fetchone()) is None:
                continue
            search = sql.SQL("SELECT FROM {1} WHERE {0} IS NOT NULL ORDER BY {0} <-> %s::vector LIMIT 3")
            rows = connection.execute(search.format(column, table), [one[row["column"]]]).fetchall()
            found[f"{row['name']}.{row['column']}"] = len(rows)
    return found


def _is_there(connection: Connection, name: str) -> bool:
    row = connection.execute(_THERE, [name]).fetchone()
    return bool(row and row["there"])
