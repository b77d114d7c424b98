"""A vault whose one role owns the database, may create others, and is no superuser."""

from __future__ import annotations

import contextlib
import io
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from runbooks import snapshots
from runbooks.options import Options
from runbooks.sandbox.world import Sandbox
from tests.vaults import Vault

CONTENT = """
CREATE EXTENSION pg_trgm; CREATE EXTENSION hstore;
CREATE TABLE note (id serial PRIMARY KEY, body text, more hstore);
INSERT INTO note (body, more) SELECT 'note ' || n, 'a=>1' FROM generate_series(1, 100) n;
CREATE INDEX note_like ON note USING gin (body gin_trgm_ops);
CREATE TABLE mine (id int); INSERT INTO mine VALUES (1); ALTER TABLE mine ENABLE ROW LEVEL SECURITY;
SELECT lo_from_bytea(77, 'large');
"""


@dataclass
class PlainVault(Vault):
    """A vault without any right beyond those of the database's owner."""

    role: str = ""
    password: str = ""
    application_password: str = ""

    @property
    def admin_url(self) -> str:
        return self._url(self.password)

    @property
    def owner_url(self) -> str:
        return self._url(self.application_password or self.password)

    def _url(self, password: str) -> str:
        parts = urlsplit(super().admin_url)
        return parts._replace(netloc=f"{self.role}:{password}@{parts.hostname}:{parts.port}").geturl()

    def switch(self, *, code: int = 0) -> str:
        """``backup.restore --switch`` in this process: what was printed."""
        stream = io.StringIO()
        options = Options(environment=self.name, stream=stream, parameters={"switch": True})
        found = snapshots.start("backup.restore", "newest", options)
        assert found == code, stream.getvalue()
        return stream.getvalue()

    def as_superuser(self, statement: str) -> None:
        with self.sandbox.superuser() as connection:
            connection.execute(statement)

    @contextlib.contextmanager
    def opened(self, database: str) -> Iterator[None]:
        """A database in quarantine, open for a while."""
        self.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS true", "postgres")
        try:
            yield
        finally:
            self.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false", "postgres")

    @contextlib.contextmanager
    def session(self) -> Iterator[None]:
        """The application is connected to the database."""
        with psycopg.connect(self.owner_url, autocommit=True) as connection:
            yield
            connection.close()

    @contextlib.contextmanager
    def superusers_session(self) -> Iterator[None]:
        """A superuser is connected to the database."""
        parts = urlsplit(Vault.admin_url.fget(self))  # type: ignore[attr-defined]
        with psycopg.connect(parts.geturl(), autocommit=True):
            yield


@contextlib.contextmanager
def plain_vault(sandbox: Sandbox, folder: Path) -> Iterator[PlainVault]:
    """One with a little of everything that such a role may create; it goes with its siblings."""
    name, password = f"plain_{secrets.token_hex(3)}", secrets.token_urlsafe(16)
    with sandbox.superuser() as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN CREATEDB PASSWORD '{password}'")
        connection.execute(f"CREATE DATABASE {name} OWNER {name}")
    made = PlainVault(folder, sandbox, name, role=name, password=password)
    made.write()
    try:
        made.execute(CONTENT)
        yield made
    finally:
        with sandbox.superuser() as connection:
            rows = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [name])
            for (each,) in rows.fetchall():
                connection.execute(f"DROP DATABASE {each} WITH (FORCE)")
            connection.execute(f"DROP ROLE {name}")
