"""What the store says of backups and drills, where the sandbox's faults do not reach: size, time, and no store."""

from __future__ import annotations

from typing import cast

import pytest

from runbooks.checks import postgres_backups, reading, recovery
from runbooks.checks.journey import Journey
from runbooks.checks.subject import Subject
from runbooks.engine.check import Finding
from runbooks.engine.errors import SystemFault
from runbooks.engine.outcome import Verdict
from runbooks.systems.snapshots.manifest import Manifest
from runbooks.systems.snapshots.shelf import place
from tests.vaults import Vault


def subject(vault: Vault) -> Subject:
    return Subject(vault.snapshots().site, cast("Journey", None))


def backup_works(vault: Vault) -> Finding:
    return recovery.backup_works.look(subject(vault), {})


def test_a_snapshot_that_is_too_large_to_be_read_in_time_is_unknown_until_somebody_has_read_it(
    vault: Vault, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert backup_works(vault).verdict is Verdict.PASSED
    monkeypatch.setattr(reading, "SECONDS", -1.0)

    before = backup_works(vault)
    vault.on("backup.verify")
    after = backup_works(vault)

    assert (before.verdict, "nobody has read the others" in before.found) == (Verdict.UNKNOWN, True)
    assert "backup.verify" in before.mend
    assert (after.verdict, "all of them by run" in after.found) == (Verdict.PASSED, True)


def test_a_drill_has_read_it_too(vault: Vault, manifest: Manifest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "SECONDS", -1.0)
    vault.on("backup.drill")

    assert backup_works(vault).verdict is Verdict.PASSED


def test_who_found_it_damaged_is_not_believed_to_have_found_it_whole(
    vault: Vault, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = vault.project / "store" / place(manifest.id, "data/toc.dat")
    body = path.read_bytes()
    path.write_bytes(body[:-1] + bytes([body[-1] ^ 1]))
    vault.on("backup.verify", code=3)
    monkeypatch.setattr(reading, "SECONDS", -1.0)

    assert backup_works(vault).verdict is Verdict.UNKNOWN


def test_without_a_target_nobody_knows_how_old_a_snapshot_may_be(vault: Vault) -> None:
    found = postgres_backups.backups_on.look(subject(vault), {})

    assert (found.verdict, "backup.rpo_hours" in found.mend) == (Verdict.UNKNOWN, True)


@pytest.mark.parametrize("check", [recovery.backup_works, recovery.restore_tested, postgres_backups.backups_on])
def test_a_store_that_can_not_be_asked_is_no_answer(check: object, vault: Vault) -> None:
    vault.backup = "rpo_hours = 24"
    vault.store = (
        'bucket = "b"\nendpoint = "http://127.0.0.1:9"\nregion = "x"\naccess_key = "a"\nsecret_key = { secret = "S" }'
    )
    vault.secrets["S"] = "a-secret-of-the-store"
    vault.write()

    with pytest.raises(SystemFault, match="can't be reached"):
        check.look(subject(vault), {})  # type: ignore[attr-defined]
