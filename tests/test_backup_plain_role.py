"""All of it as the application's own role, which owns its database and may create others, and is no superuser."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from runbooks import project
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

    @property
    def admin_url(self) -> str:
        parts = urlsplit(super().admin_url)
        return parts._replace(netloc=f"{self.role}:{self.password}@{parts.hostname}:{parts.port}").geturl()

    @property
    def owner_url(self) -> str:
        return self.admin_url


@pytest.fixture
def vault(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PlainVault]:
    monkeypatch.setenv(project.VARIABLE, str(tmp_path))
    name, password = f"plain_{secrets.token_hex(3)}", secrets.token_urlsafe(16)
    with sandbox.superuser() as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN CREATEDB PASSWORD '{password}'")
        connection.execute(f"CREATE DATABASE {name} OWNER {name}")
    made = PlainVault(tmp_path, sandbox, name, role=name, password=password)
    made.write()
    try:
        made.execute(CONTENT)
        yield made
    finally:
        siblings = made.siblings()
        with sandbox.superuser() as connection:
            for each in (*siblings, name):
                connection.execute(f"DROP DATABASE {each} WITH (FORCE)")
            connection.execute(f"DROP ROLE {name}")


@pytest.mark.case(65, 90)
def test_the_owner_of_a_database_takes_restores_and_drills_its_snapshot(vault: PlainVault) -> None:
    vault.create()

    assert "PROVEN" in vault.on("backup.restore")
    assert len(vault.siblings()) == 1
    assert "PROVEN" in vault.on("backup.drill")
    assert len(vault.siblings()) == 1


def test_an_extension_that_only_a_superuser_may_create_is_named(vault: PlainVault) -> None:
    with vault.sandbox.superuser() as connection:
        connection.execute(f"ALTER ROLE {vault.role} SUPERUSER")
    vault.execute("CREATE EXTENSION pg_stat_statements")
    with vault.sandbox.superuser() as connection:
        connection.execute(f"ALTER ROLE {vault.role} NOSUPERUSER NOCREATEDB")
    vault.create()

    said = " ".join(vault.on("backup.restore", code=6).split())

    assert "a superuser for the extension pg_stat_statements" in said
    assert "CREATEDB" in said
    assert vault.siblings() == []
