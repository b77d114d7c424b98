"""Pruning is killed anywhere and begun again; and it finds what snapshots, restores and drills leave when killed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runbooks import backup, drill, project, prune, restore
from runbooks.engine.step import Runbook
from runbooks.sandbox.world import Sandbox
from runbooks.systems.postgres import databases
from runbooks.systems.postgres.databases import Mark
from runbooks.systems.postgres.side_table import Column, SideTable, found
from runbooks.systems.snapshots.shelf import place
from tests.conftest import Shell
from tests.crash.points import cases, in_doubt, points
from tests.crash.sandboxes import killed_at, succeeds
from tests.vaults import Vault

DEAD = "20250101T000000.000Z-backup.restore-{}"
EFFECTS = range(4, 60, 5)
"""Some of the roughly sixty effects of pruning: those on the journal, the store, the work folder, and connections."""


@pytest.fixture(scope="module")
def kept(sandbox_shell: Shell, database: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with three snapshots, of which two are spare, and an upload that was killed."""
    folder = tmp_path_factory.mktemp("kept")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(project.VARIABLE, str(folder))
        vault = Vault(folder, Sandbox.of(sandbox_shell.project), database)
        vault.write()
        newest, _ = vault.create()
        for days in (1, 2):
            vault.older(newest, timedelta(days=days))
    half = folder / "store" / place("20250101T000000Z-abcd", "data")
    half.mkdir(parents=True)
    for name in ("1.dat", ".2.dat.unfinished"):
        (half / name).write_bytes(b"half")
    copy = folder / "store" / "variables" / "20250101T000000.000Z-abcd"
    copy.mkdir(parents=True)
    (copy / "variables.json.age").write_bytes(b"half")
    return folder / "store"


@pytest.fixture
def vault(sandbox: Sandbox, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    monkeypatch.setenv(project.VARIABLE, str(tmp_path))
    made = Vault(tmp_path, sandbox, database, backup="keep = { last = 1 }")
    made.write()
    before = made.siblings()
    yield made
    for name in set(made.siblings()) - set(before):
        made.execute(f"DROP DATABASE {name} WITH (FORCE)", "postgres")


@pytest.fixture
def cluttered(vault: Vault, kept: Path) -> Iterator[Vault]:
    """With something for every step to remove."""
    for part in ("snapshots", "variables"):
        shutil.copytree(kept / part, vault.project / "store" / part)
    server = vault.project / "var" / "snapshots" / "vault" / "pg-20250101_aaac"
    server.mkdir(parents=True)
    os.utime(server, (0, 0))
    side = SideTable(Column("public", "user_api_config", "encrypted_api_key"), DEAD.format("aaad"))
    for tail in ("aaaa", "aaab"):
        name, run = f"{vault.database}__restore_20250101_{tail}", DEAD.format(tail)
        vault.execute(f"CREATE DATABASE {name}")
        with vault.access.connection() as connection:
            databases.set_mark(connection, name, Mark(run, "filling"))
        (vault.project / "var" / "snapshots" / "vault" / run / "data").mkdir(parents=True)
        (vault.project / "var" / "snapshots" / "vault" / run / "data" / "toc.dat").write_bytes(b"rows")
    with vault.access.connection() as connection:
        side.create(connection)
        yield vault
        side.drop(connection)


def steps(book: Runbook[Any]) -> list[Any]:
    return cases([*points(book), "after:pruned", *(f"effect:{number}" for number in EFFECTS)], quick={"after:pruned"})


def nothing_is_left(vault: Vault) -> None:
    shelf = vault.snapshots().shelf
    work = vault.project / "var" / "snapshots" / "vault"
    assert shelf.unfinished() == []
    assert shelf.objects.unfinished("") == []
    assert {name.split("/")[1] for name in shelf.store.names("snapshots/")} == set(shelf.ids())
    assert list(shelf.store.names("variables/")) == []
    assert vault.siblings() == []
    assert not work.exists() or list(work.iterdir()) == []
    with vault.access.connection() as connection:
        assert list(found(connection)) == []


@pytest.mark.parametrize("point", steps(prune.runbook()))
def test_pruning_that_was_killed_is_begun_again(point: str, cluttered: Vault) -> None:
    newest = cluttered.snapshots().shelf.ids()[-1]
    killed_at(cluttered.shell, point, "backup.prune", "--env", "vault")
    whole = cluttered.snapshots().shelf
    for id in whole.ids():
        manifest = whole.manifest(id)
        assert manifest
        assert [whole.problem(manifest, file) for file in manifest.files if whole.problem(manifest, file)] == [], (
            "what has a manifest is whole, at any moment"
        )

    said = succeeds(cluttered.shell, "backup.prune", "--env", "vault")

    assert "PRUNED" in said
    assert cluttered.snapshots().shelf.ids() == [newest]
    nothing_is_left(cluttered)


@pytest.mark.crash
@pytest.mark.parametrize("point", in_doubt(points(prune.runbook())))
def test_pruning_that_was_killed_is_resumed(point: str, cluttered: Vault) -> None:
    killed_at(cluttered.shell, point, "backup.prune", "--env", "vault")

    succeeds(cluttered.shell, "runs.resume", "latest", "--env", "vault")

    assert len(cluttered.snapshots().shelf.ids()) == 1
    nothing_is_left(cluttered)


@pytest.mark.crash
@pytest.mark.parametrize("point", in_doubt(points(backup.runbook())))
def test_what_a_killed_snapshot_leaves_is_found(point: str, vault: Vault) -> None:
    killed_at(vault.shell, point, "backup.create", "--env", "vault")
    whole = vault.snapshots().shelf.ids()

    succeeds(vault.shell, "backup.prune", "--env", "vault")

    assert vault.snapshots().shelf.ids() == whole
    nothing_is_left(vault)


@pytest.mark.crash
@pytest.mark.parametrize(
    ("name", "point"),
    [("backup.restore", point) for point in in_doubt(points(restore.runbook()))]
    + [("backup.drill", point) for point in in_doubt(points(drill.runbook()))],
)
def test_what_a_killed_restore_or_drill_leaves_is_found(name: str, point: str, vault: Vault) -> None:
    vault.create()
    killed_at(vault.shell, point, name, "--env", "vault")
    proven = name == "backup.restore" and point.endswith(("outcome/prove", "/forget", "/tidy", "/keys"))

    succeeds(vault.shell, "backup.prune", "--env", "vault")

    if proven:
        assert len(vault.siblings()) == 1, "it is proven, so it is the operator's"
        vault.execute(f"DROP DATABASE {vault.siblings()[0]}", "postgres")
    nothing_is_left(vault)
