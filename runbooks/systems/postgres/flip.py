"""Changes one value of a table within a transaction that is never committed: a proof must notice it."""

from __future__ import annotations

import psycopg
from psycopg import sql

from runbooks.systems.postgres.client import Connection
from runbooks.systems.postgres.fingerprint import Table, fingerprint
from runbooks.systems.postgres.records import Fingerprint

_CANDIDATES = """
SELECT a.attname::text AS name, t.typname::text AS type
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = pg_catalog.to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
  AND a.attgenerated = '' AND a.attidentity <> 'a'
  AND t.typname IN ('text', 'varchar', 'int4', 'int8', 'bool', 'timestamptz', 'float8')
ORDER BY a.attnum DESC
"""
_CHANGES = {
    "text": "coalesce({0}, '') || 'x'",
    "varchar": "pg_catalog.reverse({0}) || 'x'",
    "int4": "coalesce({0}, 0) + 1",
    "int8": "coalesce({0}, 0) + 1",
    "bool": "NOT coalesce({0}, false)",
    "timestamptz": "coalesce({0}, pg_catalog.now()) + '1 s'",
    "float8": "coalesce({0}, 0) + 1",
}


def fingerprint_with_one_value_changed(connection: Connection, table: Table) -> Fingerprint | None:
    """The table's fingerprint as it would be with another value in one row; None: no column lets itself be changed.

    Args:
        connection: In autocommit. What is changed is rolled back.
    """
    columns = connection.execute(_CANDIDATES, [table.identifier]).fetchall()
    target = sql.Identifier(table.schema, table.name)
    for column in columns:
        name = sql.Identifier(column["name"])
        change = sql.SQL(_CHANGES[column["type"]]).format(name)
        statement = sql.SQL("UPDATE ONLY {} SET {} = {} WHERE ctid = (SELECT min(ctid) FROM ONLY {})")
        try:
            with connection.transaction(force_rollback=True):
                changed = connection.execute(statement.format(target, name, change, target)).rowcount
                if changed == 1:
                    return fingerprint(connection, table)
        except (psycopg.IntegrityError, psycopg.DataError):
            continue  # a key or a constraint holds this one; another will do
    return None
