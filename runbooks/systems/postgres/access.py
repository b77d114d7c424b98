"""A right to a PostgreSQL server, for our own connections and for PostgreSQL's programs."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import Conninfo, PGconn, Ping
from psycopg.rows import dict_row

from runbooks.engine.errors import InputError
from runbooks.engine.secret import Secret
from runbooks.systems.postgres.client import Connection, fault_of, libpq_url

APPLICATION_NAME = "praviel-runbooks"

UNHINDERED: Mapping[str, str] = {
    "statement_timeout": "0",
    "lock_timeout": "30s",
    "idle_in_transaction_session_timeout": "0",
    "default_transaction_read_only": "off",
    "role": "none",
    "search_path": "",
    # A program or thread of ours that was killed does not leave a statement running for long.
    "client_connection_check_interval": "5s",
}
"""What would end or refuse a long question."""

PINS: Mapping[str, str] = {
    "row_security": "off",  # a policy that would hide rows is an error instead
    "synchronize_seqscans": "off",
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "extra_float_digits": "3",
    "bytea_output": "hex",
    "xmloption": "content",
    "xmlbinary": "base64",
    "lc_monetary": "C",
    "lc_numeric": "C",
    "quote_all_identifiers": "off",
    "jit": "off",  # costs more than it saves for one pass over a table
}
"""What changes how a value or a definition is written or read, or which rows are seen."""

RECOVERY, BETWEEN_TRIES = 60.0, 0.2
"""Seconds that a server is waited for which starts or recovers from a crash, and between two tries."""


@dataclass(frozen=True, kw_only=True)
class Access:
    """Who connects where.

    Attributes:
        url: The connection URL; an SQLAlchemy driver suffix is dropped.
        ca_file: PEM file of the authority that signed the server's certificate.
        connect_seconds: Time limit for connecting.
        reach: How the inventory says that the server is reached; shown when it is not.
    """

    url: Secret
    ca_file: Path | None = None
    connect_seconds: int = 5
    reach: str = "direct"

    def __str__(self) -> str:
        known = self.parameters()
        return f"{known.get('host', 'localhost')}:{known.get('port', 5432)}/{self.database}"

    @property
    def database(self) -> str:
        """The name of the database that the URL names."""
        known = self.parameters()
        return str(known.get("dbname") or known.get("user") or "")

    @property
    def user(self) -> str:
        """The role that the URL names."""
        return str(self.parameters().get("user", ""))

    def parameters(self) -> dict[str, Any]:
        """What libpq is told.

        Raises:
            InputError: the URL is none that libpq takes.
        """
        try:
            known = dict(conninfo_to_dict(libpq_url(self.url.reveal())))
        except psycopg.ProgrammingError as error:
            raise InputError(
                "this is not a database URL that libpq takes",
                where=self.url.name,
                mend="postgresql://user:password@host:port/name; options are libpq's (sslmode=…)",
            ) from error
        if self.ca_file:
            known["sslrootcert"] = str(self.ca_file)
        return known

    def to(self, database: str) -> Access:
        """The same right to another database of the same server."""
        url = make_conninfo(libpq_url(self.url.reveal()), dbname=database)
        return replace(self, url=Secret(self.url.name, url))

    @contextlib.contextmanager
    def connection(self, database: str | None = None, **settings: str | None) -> Iterator[Connection]:
        """A connection of its own, in autocommit, which no setting of role or database hinders or changes.

        All is said when connecting, which beats what ``ALTER ROLE`` and ``ALTER DATABASE`` set. A server that starts or
        recovers is waited for.

        Args:
            database: Another database of the same server.
            settings: More settings of the session; None: as the role and the database have it.

        Raises:
            SystemFault: the server can't be reached or refuses, also when a statement inside the block does.
        """
        wanted = {**UNHINDERED, **PINS, **settings}
        said = {name: value for name, value in wanted.items() if value is not None}
        known = self.parameters() | {"options": options(said)}
        if database is not None:
            known["dbname"] = database
        place = str(self) if database is None else f"{str(self).rpartition('/')[0]}/{database}"
        try:
            known |= {"application_name": APPLICATION_NAME, "connect_timeout": self.connect_seconds}
            with _connect(known) as connection:
                if connection.info.server_version >= 170000:  # older servers do not know it, so it is not said before
                    connection.execute("SET transaction_timeout = 0")
                yield connection
        except psycopg.Error as error:
            raise fault_of(error, where=place, reach=self.reach) from error

    def environment(self, database: str | None = None, **settings: str) -> dict[str, str]:
        """The variables by which PostgreSQL's programs connect. The password is among them, never in their arguments.

        Args:
            database: Another database of the same server.
            settings: More settings of their sessions.
        """
        names = {option.keyword.decode(): option.envvar for option in Conninfo.get_defaults()}
        known = self.parameters() | {
            "options": options({**UNHINDERED, **PINS, **settings}),
            "application_name": APPLICATION_NAME,
            "connect_timeout": max(self.connect_seconds, 2),
        }
        known["dbname"] = database or self.database
        found = {}
        for name, value in known.items():
            variable = names.get(name)
            if variable is None:
                raise InputError(
                    f"PostgreSQL's programs can't be told {name}",
                    where=self.url.name,
                    mend=f"remove {name} from the URL",
                )
            found[variable.decode()] = str(value)
        return found

    def server_version(self) -> int:
        """The server's version as PostgreSQL counts: 180001 is 18.1."""
        with self.connection() as connection:
            return connection.info.server_version


def _connect(known: Mapping[str, Any]) -> Connection:
    deadline, again = time.monotonic() + RECOVERY, False
    while True:
        try:
            return psycopg.connect(**known, autocommit=True, row_factory=dict_row)
        except psycopg.errors.ConnectionTimeout:
            raise
        except psycopg.OperationalError as error:
            # While it starts or recovers, a server refuses everybody before it asks for a password.
            if time.monotonic() > deadline or (error.pgconn and error.pgconn.used_password):
                raise
            state = PGconn.ping(make_conninfo(**known).encode())
            if state == Ping.OK and not again:
                again = True  # it may have recovered between the two questions
            elif state != Ping.REJECT:
                raise
        time.sleep(BETWEEN_TRIES)


def options(settings: Mapping[str, str]) -> str:
    """Settings as libpq's parameter ``options`` takes them."""
    return " ".join(f"-c {name}={_escaped(value)}" for name, value in settings.items())


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(" ", "\\ ")
