"""Passwords of roles: set unseen by the server's log, tried on new connections; and who still holds old ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from psycopg import sql

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.postgres.access import APPLICATION_NAME, Access
from runbooks.systems.postgres.client import Connection

_AGES = """
SELECT backend_start IS NULL AS hidden, pg_catalog.clock_timestamp() - backend_start AS age
FROM pg_catalog.pg_stat_activity
WHERE usename = %s AND coalesce(backend_type, 'client backend') = 'client backend'
  AND coalesce(application_name, '') <> %s
"""


def set_password(access: Access, role: str, password: Secret) -> None:
    """Give a role another password. Only its SCRAM verifier is sent, so no log of the server's can hold the password.

    Raises:
        SystemFault: the server can't be reached, or the role of ``access`` may not.
    """
    with access.connection() as connection:
        statement = sql.SQL("ALTER ROLE {} PASSWORD {}")
        connection.execute(statement.format(sql.Identifier(role), verifier(connection, role, password)))


def verifier(connection: Connection, role: str, password: Secret) -> sql.Literal:
    """What the server keeps of a role's password."""
    made = connection.pgconn.encrypt_password(password.reveal().encode(), role.encode(), b"scram-sha-256")
    return sql.Literal(made.decode())


def accepts(access: Access) -> bool:
    """Whether the server lets this role in with this password, on a new connection.

    Raises:
        SystemFault: it can't be reached, or refuses for another reason.
    """
    try:
        with access.connection() as connection:
            connection.execute("SELECT 1")
    except SystemFault as fault:
        if fault.reason is Reason.UNAUTHORISED:
            return False
        raise
    return True


def ages(access: Access, role: str) -> Sequence[timedelta]:
    """How long each session of a role has been open; ours are not counted.

    Raises:
        SystemFault: the server can't be asked, or hides that from the role of ``access``.
    """
    with access.connection() as connection:
        found = connection.execute(_AGES, [role, APPLICATION_NAME]).fetchall()
    if any(row["hidden"] for row in found):
        raise SystemFault(
            f"since when the sessions of {role} are open is hidden from {access.user}",
            reason=Reason.UNAUTHORISED,
            where=str(access),
            mend=f"GRANT pg_read_all_stats TO {access.user}",
        )
    return [row["age"] for row in found]
