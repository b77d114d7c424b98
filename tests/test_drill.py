"""Drills from end to end: a snapshot restored, proven and thrown away; every failure is kept as one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from runbooks import project, snapshots
from runbooks.engine.errors import InputError
from runbooks.sandbox.world import Sandbox
from runbooks.steps import drilling
from runbooks.systems.snapshots import drills
from runbooks.systems.snapshots.drills import FAILED, MISSED, PROVEN, Drill
from runbooks.systems.snapshots.manifest import Manifest, encode
from runbooks.systems.snapshots.shelf import place
from tests.conftest import Shell
from tests.vaults import Vault, rich_database


@pytest.fixture(scope="module")
def database(sandbox_shell: Shell) -> Iterator[str]:
    with rich_database(Sandbox.of(sandbox_shell.project)) as name:
        yield name


@pytest.fixture
def vault(sandbox: Sandbox, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vault:
    monkeypatch.setenv(project.VARIABLE, str(tmp_path))
    made = Vault(tmp_path, sandbox, database)
    made.write()
    return made


@pytest.fixture
def manifest(vault: Vault) -> Manifest:
    return vault.create()[0]


def only_drill(vault: Vault) -> Drill:
    (drill,) = drills.drills(vault.snapshots().shelf.store)
    assert vault.siblings() == [], "nothing is left of it"
    return drill


def test_a_drill_proves_measures_and_leaves_nothing(vault: Vault, manifest: Manifest) -> None:
    said = vault.on("backup.drill", "random")

    drill = only_drill(vault)
    assert "PROVEN" in said
    assert "one changed value in" in said
    assert (drill.verdict, drill.snapshot, drill.heads) == (PROVEN, manifest.id, manifest.heads)
    assert set(drill.seconds) == set(drilling.STAGES)
    assert drill.rto == pytest.approx(sum(drill.seconds.values()), abs=0.01)
    assert drill.rpo is not None
    assert drill.rpo > 0


def test_a_snapshot_that_is_too_old_misses_the_target(vault: Vault, manifest: Manifest) -> None:
    vault.backup = "rpo_hours = 24\nrto_minutes = 60"
    vault.write()
    old = replace(manifest, taken=manifest.taken - timedelta(hours=30))
    (vault.project / "store" / place(manifest.id, "manifest.json")).write_bytes(encode(old))

    said = vault.on("backup.drill", code=3)

    assert "30.0 h old, at most 24 are allowed" in said
    assert only_drill(vault).verdict == MISSED


def test_a_damaged_snapshot_fails_its_drill_and_that_is_kept(vault: Vault, manifest: Manifest) -> None:
    (vault.project / "store" / place(manifest.id, "data/toc.dat")).unlink()

    vault.on("backup.drill", code=6)

    drill = only_drill(vault)
    assert drill.verdict == FAILED
    assert "fetch: an object is missing" in drill.found[0]
    assert drill.rto is None


@pytest.mark.case(100)
def test_a_drill_whose_proof_notices_nothing_fails(
    vault: Vault, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 100: the proof itself is tested in every drill."""
    monkeypatch.setattr(drilling, "unequal_rows", lambda _recorded, _found: [])

    vault.on("backup.drill", manifest.id, code=6)

    assert "does not notice a changed value" in only_drill(vault).found[0]


def log(vault: Vault) -> str:
    """The newest run's log."""
    return max((vault.project / "var" / "runs" / "vault").glob("*/log.md")).read_text()


def test_what_drills_came_to_is_drawn_in_each_log_and_told_by_the_history(
    vault: Vault, manifest: Manifest, capsys: pytest.CaptureFixture[str]
) -> None:
    vault.on("backup.drill", manifest.id)
    (vault.project / "store" / place(manifest.id, "data/toc.dat")).unlink()
    vault.on("backup.drill", manifest.id, code=6)
    failed = log(vault)
    capsys.readouterr()

    snapshots.show_history("vault", "console")
    told = capsys.readouterr().out.splitlines()
    snapshots.show_history("vault", "json")
    first, second = json.loads(capsys.readouterr().out)
    snapshots.show_history("vault", "markdown")

    assert failed.count("xychart-beta") == 2, "also the log of a drill that failed"
    assert capsys.readouterr().out in failed
    assert [line.split()[2] for line in told[1:3]] == ["proven", "failed"]
    assert (first["verdict"], second["verdict"]) == ("proven", "failed")
    assert any(line.startswith("the last one: fetch: an object is missing") for line in told)
    assert told[-1].startswith("2 drills of vault")


def test_a_damaged_record_is_named_after_the_others(vault: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    vault.snapshots().shelf.store.put("drills/20260101T000000.000Z-backup.drill-abcd.json", b"{", replaces=None)

    with pytest.raises(InputError, match="the record of a drill can't be read"):
        snapshots.show_history("vault", "console")

    assert "0 drills of vault" in capsys.readouterr().out
