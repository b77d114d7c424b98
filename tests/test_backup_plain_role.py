"""All of it as the application's own role, which owns its database and may create others, and is no superuser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runbooks import project
from runbooks.sandbox.world import Sandbox
from tests.plain_vaults import PlainVault, plain_vault


@pytest.fixture
def vault(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PlainVault]:
    monkeypatch.setenv(project.VARIABLE, str(tmp_path))
    with plain_vault(sandbox, tmp_path) as made:
        yield made


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
