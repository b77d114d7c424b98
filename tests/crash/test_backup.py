"""Snapshots, restores and drills are killed ahead of and after every record: resumed, or taken back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runbooks import backup, drill, project, restore
from runbooks.engine import audit
from runbooks.sandbox.world import Sandbox
from runbooks.systems.snapshots import drills
from tests.crash.points import cases, in_doubt, points
from tests.crash.sandboxes import killed_at, succeeds
from tests.vaults import Vault

CREATE, RESTORE, DRILL = (points(book) for book in (backup.runbook(), restore.runbook(), drill.runbook()))
QUICK = {"before:outcome/upload", "before:outcome/fill"}
"""One that stands for the others, of each."""


@pytest.fixture
def vault(sandbox: Sandbox, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    monkeypatch.setenv(project.VARIABLE, str(tmp_path))
    made = Vault(tmp_path, sandbox, database)
    made.write()
    before = made.siblings()
    yield made
    for name in set(made.siblings()) - set(before):
        made.execute(f"DROP DATABASE {name} WITH (FORCE)", "postgres")


def last_run(vault: Vault) -> str:
    return max(path.name for path in (vault.project / "var" / "runs" / "vault").iterdir())


def nothing_is_left_here(vault: Vault) -> None:
    folder = vault.project / "var" / "snapshots" / "vault"
    assert not folder.exists() or list(folder.iterdir()) == []
    count, damage = audit.audit(vault.project / "var" / "runs" / "vault", vault.snapshots().shelf.store)
    assert count > 0
    assert damage == []


@pytest.mark.case(49)
@pytest.mark.parametrize("point", cases(CREATE, QUICK))
def test_a_killed_snapshot_is_resumed_to_exactly_one(point: str, vault: Vault) -> None:
    killed_at(vault.shell, point, "backup.create", "--env", "vault")

    succeeds(vault.shell, "runs.resume", last_run(vault))

    assert len(vault.snapshots().shelf.ids()) == 1
    assert vault.snapshots().shelf.unfinished() == []
    assert "INTACT" in vault.on("backup.verify")
    nothing_is_left_here(vault)


@pytest.mark.parametrize("point", cases(in_doubt(CREATE)))
def test_a_killed_snapshot_is_taken_back(point: str, vault: Vault) -> None:
    killed_at(vault.shell, point, "backup.create", "--env", "vault")

    succeeds(vault.shell, "runs.abort", last_run(vault), code=6)

    assert vault.snapshots().shelf.ids() == []
    assert list(vault.snapshots().shelf.store.names("snapshots/")) == []
    nothing_is_left_here(vault)


@pytest.mark.case(67)
@pytest.mark.parametrize("point", cases(in_doubt(RESTORE)))
def test_a_killed_restore_is_resumed_and_proven(point: str, vault: Vault) -> None:
    vault.create()
    killed_at(vault.shell, point, "backup.restore", "--env", "vault")

    said = succeeds(vault.shell, "runs.resume", last_run(vault))

    assert "PROVEN" in said
    assert len(vault.siblings()) == 1
    nothing_is_left_here(vault)


@pytest.mark.parametrize("point", cases(RESTORE, QUICK))
def test_a_killed_restore_is_taken_back(point: str, vault: Vault) -> None:
    vault.create()
    before = vault.execute("SELECT count(*) AS rows FROM value")
    killed_at(vault.shell, point, "backup.restore", "--env", "vault")

    succeeds(vault.shell, "runs.abort", last_run(vault), code=6)

    assert vault.siblings() == []
    assert vault.execute("SELECT count(*) AS rows FROM value") == before
    nothing_is_left_here(vault)


@pytest.mark.parametrize("point", cases(in_doubt(DRILL)))
def test_a_killed_drill_is_resumed_to_one_record(point: str, vault: Vault) -> None:
    vault.create()
    killed_at(vault.shell, point, "backup.drill", "--env", "vault")

    said = succeeds(vault.shell, "runs.resume", last_run(vault))

    assert "PROVEN" in said
    assert [drill.verdict for drill in drills.drills(vault.snapshots().shelf.store)] == [drills.PROVEN]
    assert vault.siblings() == []
    nothing_is_left_here(vault)
