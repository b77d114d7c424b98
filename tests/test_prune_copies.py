"""``backup.prune`` and the copies of the variables: one is kept for each key that something kept needs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runbooks import project
from runbooks.engine.secret import Secret
from runbooks.environment.key_ring import KEY
from runbooks.sandbox.world import Sandbox
from runbooks.systems.postgres import databases
from runbooks.systems.postgres.databases import Mark
from runbooks.systems.releases.ledger import Releases
from runbooks.systems.releases.record import Entry, Kind, Release
from runbooks.systems.snapshots import drills
from runbooks.systems.snapshots.drills import PROVEN, Drill
from runbooks.systems.variables.copies import Copies, new_id
from tests.plain_vaults import plain_vault
from tests.rekeyed import Rotated

NOW = datetime.now(UTC)


@pytest.fixture
def rotated(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rotated]:
    monkeypatch.setenv(project.VARIABLE, str(tmp_path))
    with plain_vault(sandbox, tmp_path) as vault:
        vault.backup = "keep = { last = 1 }"
        yield Rotated.of(vault)


def copies(rotated: Rotated) -> Copies:
    return Copies(rotated.vault.snapshots().shelf.store)


def copied(rotated: Rotated, days: float, key: str) -> str:
    """A copy that was made so many days ago, with this key."""
    taken = NOW - timedelta(days=days)
    run = f"{taken:%Y%m%dT%H%M%S}.000Z-variables.backup-{int(days * 10):04d}"
    snapshots = rotated.vault.snapshots()
    made = copies(rotated).put(
        {KEY: Secret(KEY, key)},
        id=new_id(run),
        run=run,
        environment="vault",
        release=None,
        keys=snapshots.recipient_keys,
        fingerprint=snapshots.site.fingerprint,
        now=taken,
    )
    return made.id


def deployed(rotated: Rotated, copy: str) -> None:
    """A release runs whose variables were copied."""
    release = Release(id="v1-abc", version="v1", commit="c0ffee", variables_backup=copy)
    run = "20250101T000000.000Z-release.deploy-abcd"
    entry = Entry(kind=Kind.DEPLOYED, at=NOW, by="a test", run=run, token=1, id=release.id, release=release)
    Releases(rotated.vault.snapshots().shelf.store).append(entry)


def test_the_keys_of_kept_snapshots_stay_and_copies_that_nothing_needs_go(rotated: Rotated) -> None:
    oldest = [copied(rotated, days, "the-first-key") for days in (90, 80)]
    second = [copied(rotated, days, "the-second-key") for days in (60, 50, 40)]
    third = [copied(rotated, days, "the-third-key") for days in (30, 20)]
    last = [copied(rotated, days, "the-key-of-now") for days in (10, 5, 2)]
    manifest, _ = rotated.vault.create()
    needs = rotated.vault.older(manifest, timedelta(days=45)).id
    drill = Drill(run="20250101T000000.000Z-backup.drill-abcd", verdict=PROVEN, snapshot=needs, ended=NOW, server=18)
    drills.put(rotated.vault.snapshots().shelf.store, drill)
    deployed(rotated, oldest[0])

    plan = rotated.vault.prune(plan=True)
    assert len(copies(rotated).ids()) == 10
    said = rotated.vault.prune()

    assert set(copies(rotated).ids()) == {oldest[0], second[1], second[2], third[1], last[2]}
    assert "5 copies of variables removed" in said
    assert f"remove  the variables {oldest[1]}" in plan
    assert f"keep    the variables {oldest[0]}  v1-abc was deployed with it" in plan
    assert f"keep    the variables {second[2]}  the key of snapshot {needs}" in plan
    assert "nothing removed" in rotated.vault.prune()


def test_the_key_of_a_database_in_quarantine_stays(rotated: Rotated) -> None:
    its = [copied(rotated, days, "its-key") for days in (40, 35)]
    third = [copied(rotated, days, "another-key") for days in (20, 19)]
    last = [copied(rotated, days, "the-key-of-now") for days in (10, 1)]
    fourth = copied(rotated, 0.5, "one-more-key")
    rotated.vault.create()
    name = f"{rotated.vault.database}__quarantine_20250101_abcd"
    rotated.vault.execute(f"CREATE DATABASE {name}", "postgres")
    at = (NOW - timedelta(days=38)).isoformat()
    with rotated.vault.access.connection() as connection:
        databases.set_mark(connection, name, Mark("20250101T000000.000Z-rollback-abcd", "quarantined", at=at))

    rotated.vault.prune()

    assert set(copies(rotated).ids()) == {*its, last[1], fourth}
    assert third[1] not in copies(rotated).ids()


def test_without_a_rule_no_copy_is_removed(rotated: Rotated) -> None:
    for days in (40, 30, 20):
        copied(rotated, days, "a-key")
    rotated.vault.backup = rotated.vault.backup.replace("keep = { last = 1 }", "")
    rotated.vault.write()

    assert "nothing removed" in rotated.vault.prune()
    assert len(copies(rotated).ids()) == 3


def test_where_the_server_can_not_be_asked_every_copy_stays(rotated: Rotated) -> None:
    for days in (40, 30, 20):
        copied(rotated, days, "a-key")
    rotated.vault.create()
    rotated.vault.password = "wrong"
    rotated.vault.write()

    said = rotated.vault.prune(code=4)

    assert "not asked what is left there" in " ".join(said.split())
    assert len(copies(rotated).ids()) == 3


def test_what_killed_runs_have_left_of_a_copy_goes_and_what_is_being_made_stays(rotated: Rotated) -> None:
    store = rotated.vault.snapshots().shelf.store
    for run in ("20250101T000000.000Z-variables.backup-abcd", f"{NOW:%Y%m%dT%H%M%S}.000Z-variables.backup-abce"):
        store.put(f"variables/{new_id(run)}/variables.json.age", b"half", replaces=None)

    rotated.vault.prune()

    assert [id.rpartition("-")[2] for id in copies(rotated).unfinished()] == ["abce"]
