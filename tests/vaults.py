"""An environment whose database holds one of everything, in a project of its own, on the session's PostgreSQL."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from psycopg import sql

from runbooks import command, project, snapshots
from runbooks.engine.redact import Redactor
from runbooks.engine.secret import Secret
from runbooks.environment.load import load
from runbooks.environment.site import Site
from runbooks.environment.snapshots import Snapshots
from runbooks.options import Options
from runbooks.sandbox import environments, ports, postgres_install, postgres_server
from runbooks.sandbox.world import Sandbox
from runbooks.systems.postgres.access import Access
from runbooks.systems.postgres.subscriptions import leave_publishers
from runbooks.systems.snapshots.manifest import Manifest
from runbooks.systems.snapshots.shelf import place
from tests.conftest import Shell
from tests.shops import private

RICH = Path(__file__).with_name("rich.sql")


@dataclass
class Vault:
    """A project with one environment; change a field, then `write`."""

    project: Path
    sandbox: Sandbox
    database: str
    store: str = 'folder = "store"'
    backup: str = ""
    secrets: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    """Of the application, beside DATABASE_URL."""
    name: str = "vault"
    programs: Path | None = None
    """The folder of pg_dump and pg_restore; None: the sandbox's own."""

    @property
    def access(self) -> Access:
        return Access(url=Secret("ADMIN", self.admin_url))

    @property
    def admin_url(self) -> str:
        port = self.sandbox.numbers()[ports.POSTGRES]
        password = postgres_server.password(self.sandbox.layout).reveal()
        return f"postgresql://postgres:{password}@{ports.LOOPBACK}:{port}/{self.database}"

    @property
    def owner_url(self) -> str:
        """The same database as the role that owns it, which is no superuser."""
        parts = urlsplit(self.sandbox.variables("local")["DATABASE_URL"])
        return parts._replace(path=f"/{self.database}").geturl()

    @property
    def own_programs(self) -> Path:
        return postgres_install.install_folder(self.sandbox.layout) / "bin"

    @property
    def shell(self) -> Shell:
        return Shell(self.project)

    def write(self) -> None:
        folder = self.project / "inventory" / self.name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "environment.toml").write_text(f"""\
schema = 1
protected = false
[application]
url = "http://127.0.0.1:9"
[variables]
source = "dotenv"
path = "variables.env"
[secrets]
source = "dotenv"
path = "operator.env"
[platform]
kind = "hosts"
[store]
{self.store}
[backup]
database_url = {{ secret = "ADMIN_DATABASE_URL" }}
bin = {{ secret = "POSTGRES_BIN" }}
{self.backup}
""")
        private(folder / "variables.env", {"DATABASE_URL": self.owner_url} | self.variables)
        given = {
            "ADMIN_DATABASE_URL": self.admin_url,
            "POSTGRES_BIN": str(self.programs or self.own_programs),
        }
        private(folder / "operator.env", given | self.secrets)

    def snapshots(self) -> Snapshots:
        """The environment's tools, as steps have them."""
        return Snapshots(Site(load(self.project / "inventory", self.name), Redactor(), dict(os.environ)))

    def create(self, *, code: int = 0) -> tuple[Manifest, str]:
        """``backup.create`` in this process: the newest snapshot's manifest, and what was printed."""
        said = self._run(lambda options: command.start("backup.create", options), code)
        return self.snapshots().shelf.find("newest"), said

    def create_fails(self) -> str:
        """``backup.create`` that fails and takes back what it did: what was printed."""
        return self._run(lambda options: command.start("backup.create", options), 6)

    def on(self, name: str, snapshot: str = "newest", *, code: int = 0) -> str:
        """``backup.verify`` or ``backup.restore`` in this process: what was printed."""
        return self._run(lambda options: snapshots.start(name, snapshot, options), code)

    def prune(self, *, code: int = 0, plan: bool = False) -> str:
        """``backup.prune`` in this process: what was printed."""
        stream = io.StringIO()
        found = command.start("backup.prune", Options(environment=self.name, stream=stream, plan=plan))
        assert found == code, stream.getvalue()
        return stream.getvalue()

    def older(self, manifest: Manifest, age: timedelta) -> Manifest:
        """The same snapshot once more in the store, as if it had been taken so much earlier."""
        taken = manifest.taken - age
        copy = replace(manifest, id=f"{taken:%Y%m%dT%H%M%S}Z-{secrets.token_hex(2)}", taken=taken)
        shelf = self.snapshots().shelf
        for file in manifest.files:
            pieces = b"".join(shelf.read(manifest, file))
            shelf.objects.upload(place(copy.id, file.name), io.BytesIO(pieces), expected=file.size)
        shelf.publish(copy)
        return copy

    def _run(self, call: Any, code: int) -> str:
        stream = io.StringIO()
        found = call(Options(environment=self.name, stream=stream))
        assert found == code, stream.getvalue()
        return stream.getvalue()

    def execute(self, statement: str, database: str | None = None) -> list[dict[str, Any]]:
        with self.access.connection(database, search_path="public") as connection:
            done = connection.execute(sql.SQL(statement))
            return done.fetchall() if done.description else []

    def siblings(self, ask: str | None = None) -> list[str]:
        """The databases that were made beside the vault's; ``ask``: another one of the server, as this is closed."""
        rows = self.execute(f"SELECT datname FROM pg_database WHERE datname LIKE '{self.database}\\_\\_%'", ask)
        return [row["datname"] for row in rows]


@contextlib.contextmanager
def rich_database(sandbox: Sandbox) -> Iterator[str]:
    """A database with one of everything; its siblings go with it."""
    with database_with(sandbox, RICH.read_text(encoding="utf-8")) as name:
        yield name


@contextlib.contextmanager
def database_with(sandbox: Sandbox, text: str, like: str = "") -> Iterator[str]:
    """A database filled by these statements, in which @owner, @reader and @database are names; its siblings go with it.

    Args:
        like: More words of ``CREATE DATABASE``.
    """
    tail = secrets.token_hex(3)
    name, reader = f"vault_{tail}", f"reader_{tail}"
    owner = environments.database("local")
    create = sql.SQL("CREATE DATABASE {} OWNER {} {}")
    with sandbox.superuser() as connection:
        connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(reader)))
        connection.execute(create.format(sql.Identifier(name), sql.Identifier(owner), sql.SQL(like)))
    try:
        with postgres_server.connect(sandbox.layout, sandbox.numbers()[ports.POSTGRES], name) as inside:
            for word, role in (("@owner", owner), ("@reader", reader), ("@database", name)):
                text = text.replace(word, role)
            inside.execute(sql.SQL(text))
        yield name
    finally:
        with sandbox.superuser() as connection:
            made = connection.execute(
                "SELECT datname FROM pg_database WHERE datname = %s OR starts_with(datname, %s)", [name, f"{name}__"]
            ).fetchall()
        for row in made:
            dropped(sandbox, row[0])
        with sandbox.superuser() as connection:
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(reader)))


@contextlib.contextmanager
def vault_of(sandbox: Sandbox, folder: Path, text: str, like: str = "", backup: str = "") -> Iterator[Vault]:
    """An environment whose database is filled by these statements."""
    with pytest.MonkeyPatch.context() as patch, database_with(sandbox, text, like) as name:
        patch.setenv(project.VARIABLE, str(folder))
        vault = Vault(folder, sandbox, name, backup=backup)
        vault.write()
        yield vault


def dropped(sandbox: Sandbox, name: str) -> None:
    """Have it no more, also where it subscribes to something."""
    leave_publishers(Vault(sandbox.project, sandbox, "postgres").access, name)
    with sandbox.superuser() as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
