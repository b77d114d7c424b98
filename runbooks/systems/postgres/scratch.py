"""Databases that live for one question: made as a copy of an empty one, dropped when it is answered."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.postgres.client import libpq_url

PREFIX = "rb_scratch_"
MAINTENANCE = "postgres"
"""The database that every server has, for commands that concern other databases."""

CONNECT_SECONDS = 5


@contextlib.contextmanager
def scratch_database(template: Secret) -> Iterator[Secret]:
    """The URL of a new database during the block.

    The connection that made it carries its name until it is dropped, so what a killed run left behind is told from
    what another run is using, and is dropped here too.

    Args:
        template: An empty database with the extensions that are needed; its role owns it and may create databases.

    Raises:
        SystemFault: that role may not, or the server can't be reached.
    """
    name = f"{PREFIX}{secrets.token_hex(6)}"
    parts = urlsplit(template.reveal())
    url = Secret(template.name, urlunsplit(parts._replace(path=f"/{name}")))
    try:
        with _connected(template, name) as connection:
            _drop_leftovers(connection)
            source = sql.Identifier(parts.path.lstrip("/"))
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), source))
            try:
                yield url
            finally:
                _drop(connection, name)
    except psycopg.Error as error:
        refused = (error.sqlstate or "").startswith(("42501", "28"))
        raise SystemFault(
            "no scratch database can be made",
            reason=Reason.UNAUTHORISED if refused else Reason.UNREACHABLE,
            where=f"{parts.hostname}{parts.path}",
            found=" ".join(str(error).split()),
            mend="see database.scratch_url: an empty database whose role owns it and may create databases",
        ) from error


def _connected(template: Secret, name: str) -> psycopg.Connection:
    """Not to the template itself: a database that somebody is connected to can't be copied."""
    return psycopg.connect(
        libpq_url(template.reveal()),
        dbname=MAINTENANCE,
        autocommit=True,
        connect_timeout=CONNECT_SECONDS,
        application_name=name,
    )


def _drop_leftovers(connection: psycopg.Connection) -> None:
    rows = connection.execute(
        "SELECT datname FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba"
        " WHERE starts_with(datname, %s) AND r.rolname = current_user"
        " AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = d.datname)",
        [PREFIX],
    )
    for (name,) in rows.fetchall():
        _drop(connection, name)


def _drop(connection: psycopg.Connection, name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
