"""Passwords of roles: set unseen by the server's log, tried on new connections; and who still holds old ones."""

from __future__ import annotations

from datetime import timedelta

from psycopg import sql

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.postgres.access import APPLICATION_NAME, Access


def set_password(access: Access, role: str, password: Secret) -> None:
    """Give a role another password. Only its SCRAM verifier is sent, so no log of the server's can hold the password.

    Raises:
        SystemFault: the server can't be reached, or the role of ``access`` may not.
    """
    with access.connection() as connection:
        verifier = connection.pgconn.encrypt_password(password.reveal().encode(), role.encode(), b"scram-sha-256")
        statement = sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), verifier.decode())
        connection.execute(statement)


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


def sessions(access: Access, role: str, *, older_than: timedelta) -> int:
    """How many sessions of a role are open that are older than this; ours are not counted.

    Raises:
        SystemFault: the server can't be asked.
    """
    with access.connection() as connection:
        row = connection.execute(
            "SELECT count(*) AS count FROM pg_catalog.pg_stat_activity WHERE usename = %s"
            " AND backend_type = 'client backend' AND application_name <> %s"
            " AND backend_start < pg_catalog.clock_timestamp() - %s::interval",
            [role, APPLICATION_NAME, older_than],
        ).fetchone()
    assert row
    return int(row["count"])
