"""The sandbox's servers, as whoever owns them reaches them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from runbooks.sandbox import environments, ports, postgres_server, valkey_server
from runbooks.sandbox.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg
    import redis


class Connections:
    """Opened for the time of a block."""

    layout: Layout

    def numbers(self) -> dict[str, int]:
        """The ports by name."""
        raise NotImplementedError

    @contextmanager
    def superuser(self, name: str | None = None) -> Iterator[psycopg.Connection]:
        """A superuser's connection to the environment's database, or to none in particular."""
        database = environments.database(name) if name else "postgres"
        with postgres_server.connect(self.layout, self.numbers()[ports.POSTGRES], database) as connection:
            yield connection

    @contextmanager
    def valkey(self, name: str) -> Iterator[redis.Redis]:
        """A connection to the environment's Redis database."""
        import redis as library

        with library.Redis(
            host=ports.LOOPBACK,
            port=self.numbers()[ports.VALKEY],
            password=valkey_server.password(self.layout).reveal(),
            db=environments.REDIS_DATABASES[name],
            decode_responses=True,
        ) as client:
            yield client

    def forget_rate_limits(self, name: str = "local") -> None:
        """Clear what the application counts per client and hour."""
        with self.valkey(name) as client:
            client.flushdb()
