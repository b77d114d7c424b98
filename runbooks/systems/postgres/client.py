"""Asks one PostgreSQL database; read-only unless a writing connection is asked for by name."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.secret import Secret

Row = Mapping[str, Any]
Connection = psycopg.Connection[dict[str, Any]]

_UNAUTHORISED = ("28", "42501", "3D000")
"""SQLSTATE classes and codes of a refused login, a missing right, and a database that does not exist."""

_NOT_LET_IN = ("password", "does not exist", "is not permitted to log in")
"""What a refused login says before there is an SQLSTATE."""

_UNREACHABLE = ("08", "53", "57")
"""SQLSTATE classes of connections that are cut, too many, or ended by an operator. Without a state none was made."""


class Database:
    """A database by its URL. Connections are opened when first needed and kept for the next question.

    Args:
        url: ``postgresql://…``; an SQLAlchemy driver suffix (``+asyncpg``) is dropped.
        connect_seconds: Time limit for connecting, from the first packet to the end of authentication.
        statement_seconds: Time limit of one statement, held by the server.
        reach: How the inventory says that the database is reached; shown when it is not.
    """

    def __init__(
        self,
        url: Secret,
        *,
        connect_seconds: int = 5,
        statement_seconds: float = 5.0,
        reach: str = "direct",
        ca_file: Path | None = None,
    ) -> None:
        self._url = url
        self._connect_seconds = connect_seconds
        self._statement_seconds = statement_seconds
        self._reach = reach
        self._ca_file = ca_file
        self._idle: list[Connection] = []
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """Its URL without user and password."""
        parts = urlsplit(self._url.reveal())
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))

    @property
    def port(self) -> int:
        """The port in its URL, or the usual one."""
        return urlsplit(self._url.reveal()).port or 5432

    def __str__(self) -> str:
        parts = urlsplit(self._url.reveal())
        return f"{parts.hostname}:{parts.port or 5432}{parts.path}"

    def rows(self, sql: LiteralString, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """The rows that a reading statement gives.

        Raises:
            SystemFault: the database can't be reached, or refuses the statement.
        """
        with self.reading() as connection:
            return connection.execute(sql, parameters).fetchall()

    def value(self, sql: LiteralString, parameters: Sequence[Any] = ()) -> Any:
        """The first column of the first row, or None without rows."""
        rows = self.rows(sql, parameters)
        return next(iter(rows[0].values())) if rows else None

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection on which every transaction is read-only.

        Raises:
            SystemFault: as `rows`.
        """
        with self._faults():
            connection = self._take()
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
            with self._lock:
                self._idle.append(connection)

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection of its own in one transaction: committed at the end of the block, rolled back on an error.

        Raises:
            SystemFault: as `rows`.
        """
        with self._faults(), self._connect(read_only=False) as connection, connection.transaction():
            yield connection

    def close(self) -> None:
        """Close what is idle."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()

    def _take(self) -> Connection:
        with self._lock:
            while self._idle:
                connection = self._idle.pop()
                if not connection.closed:
                    return connection
        return self._connect(read_only=True)

    def _connect(self, *, read_only: bool) -> Connection:
        options = f"-c statement_timeout={int(self._statement_seconds * 1000)}"
        if read_only:
            options += " -c default_transaction_read_only=on"
        try:
            conninfo = make_conninfo(
                libpq_url(self._url.reveal()), sslrootcert=str(self._ca_file) if self._ca_file else None
            )
        except psycopg.ProgrammingError as error:
            raise InputError(
                "this is not a database URL that libpq takes",
                where=self._url.name,
                mend="postgresql://user:password@host:port/name; options are libpq's (sslmode=…)",
            ) from error
        return psycopg.connect(
            conninfo,
            autocommit=True,
            connect_timeout=self._connect_seconds,
            options=options,
            application_name="praviel-runbooks",
            row_factory=dict_row,
        )

    @contextlib.contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise fault_of(error, where=str(self), reach=self._reach) from error


CLOSED = "is not currently accepting connections"
"""What PostgreSQL says, before there is an SQLSTATE, of a database with ``ALLOW_CONNECTIONS false``."""


def fault_of(error: psycopg.Error, *, where: str, reach: str) -> SystemFault:
    """What psycopg raised, in an operator's words."""
    state = error.sqlstate or ""
    if state.startswith(_UNAUTHORISED):
        what, reason, mend = (
            "the database refuses",
            Reason.UNAUTHORISED,
            "see the role, its password and grants",
        )
    elif state == "57014" or isinstance(error, psycopg.errors.ConnectionTimeout):
        what, reason, mend = (
            "the database did not answer in time",
            Reason.TIMED_OUT,
            "see its locks and load",
        )
    elif isinstance(error, psycopg.OperationalError) and (not state or state.startswith(_UNREACHABLE)):
        what, reason = "the database can't be reached", Reason.UNREACHABLE
        mend = f"database.reach is '{reach}'; it can also be 'runner' (inside its network) or 'proxy'"
        if any(words in str(error) for words in _NOT_LET_IN):
            what, reason, mend = (
                "the database refuses",
                Reason.UNAUTHORISED,
                "see the role and its password",
            )
        elif CLOSED in str(error):
            what = "the database lets nobody in"
            mend = (
                "invoke quarantine.list shows those that were closed on purpose; another one:"
                " ALTER DATABASE … ALLOW_CONNECTIONS true"
            )
    else:
        what, reason, mend = "the database refused a statement", Reason.FAILED, ""
    found = " ".join(str(error).split())
    return SystemFault(what, reason=reason, where=where, found=found, mend=mend)


def libpq_url(url: str) -> str:
    """The URL as libpq takes it: without SQLAlchemy's driver. Keywords and values (``host=… password=…``) stay."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}{separator}{rest}" if separator else url
