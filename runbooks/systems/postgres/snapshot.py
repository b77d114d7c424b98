"""A moment of the database that several connections and pg_dump see alike, while everybody else goes on writing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.postgres.access import Access
from runbooks.systems.postgres.client import Connection

_MOMENT = """
SELECT pg_catalog.pg_export_snapshot() AS id,
       pg_catalog.clock_timestamp() AS at,
       (CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
             ELSE pg_catalog.pg_current_wal_lsn() END)::text AS lsn,
       pg_catalog.pg_database_size(pg_catalog.current_database()) AS bytes
"""


@dataclass(frozen=True)
class Moment:
    """An exported snapshot.

    Attributes:
        id: What ``SET TRANSACTION SNAPSHOT`` and ``pg_dump --snapshot`` take.
        at: The server's clock.
        lsn: The place in the write-ahead log.
        bytes: The size of the database on the server's disk.
    """

    id: str
    at: datetime
    lsn: str
    bytes: int


class Holder:
    """Holds a moment open. Who sees it must have joined before it is let go."""

    def __init__(self, connection: Connection, moment: Moment) -> None:
        self._connection = connection
        self.moment = moment

    def keep(self, wanted: Iterable[sql.Identifier]) -> None:
        """Let nobody empty, drop or alter these tables until the moment is let go; reading and writing goes on.

        TRUNCATE empties a table for every moment, also for those before it: without this, a table that is truncated
        between its fingerprint and its dump would make a snapshot that equals nothing.

        Raises:
            psycopg.Error: a migration holds one of them for longer than the lock's time limit.
        """
        names = sql.SQL(", ").join([sql.SQL("ONLY {}").format(name) for name in wanted])
        if names.as_string():
            self._connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(names))

    def confirm(self) -> None:
        """The moment is still held.

        Raises:
            SystemFault: its connection was cut, so who joins now would see another one.
        """
        try:
            self._connection.execute("SELECT")
        except Exception as error:
            raise SystemFault(
                "the connection that held the snapshot was cut",
                reason=Reason.FAILED,
                found=" ".join(str(error).split()),
                mend="see why the server ended it (restart, timeout, an operator), then try again",
            ) from error


@contextlib.contextmanager
def held(access: Access, database: str | None = None) -> Iterator[Holder]:
    """A moment of the database, held for the time of a block.

    Args:
        database: Another database of the same server.

    Raises:
        SystemFault: the server can't be reached or refuses.
    """
    with access.connection(database) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        row = connection.execute(_MOMENT).fetchone()
        assert row
        yield Holder(connection, Moment(**row))


@contextlib.contextmanager
def seeing(access: Access, moment: Moment | None = None, database: str | None = None) -> Iterator[Connection]:
    """A connection that reads one moment.

    Args:
        moment: A held one; None is the moment of now.
        database: Another database of the same server.

    Raises:
        SystemFault: the server can't be reached or refuses, or the moment is no longer held.
    """
    with access.connection(database) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        if moment is not None:
            connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(moment.id))
        yield connection
