"""What goes wrong on the way to a snapshot, or to a restored database: rights, locks, cuts; nothing half is left."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from runbooks.engine.errors import Reason, SystemFault
from runbooks.steps import snapshot
from runbooks.systems.postgres import access, commands, programs
from runbooks.systems.postgres.fingerprint import fingerprints
from runbooks.systems.store.folder_objects import FolderObjects
from tests.vaults import Vault


@pytest.mark.case(38)
def test_a_role_that_row_security_hides_rows_from_takes_no_snapshot(vault: Vault) -> None:
    """It is an error, not a snapshot with fewer rows."""
    as_owner(vault)

    said = " ".join(vault.create_fails().split())

    assert "row-level security" in said or "permission denied" in said
    assert vault.snapshots().shelf.ids() == []
    assert vault.snapshots().shelf.unfinished() == []


@pytest.mark.usefixtures("manifest")
def test_what_a_role_lacks_for_a_restore_is_told_all_at_once(vault: Vault) -> None:
    as_owner(vault)

    said = " ".join(vault.on("backup.restore", code=6).split())

    assert "CREATEDB" in said
    assert "own objects besides" in said
    assert "backup.database_url" in said


def as_owner(vault: Vault) -> None:
    """Without a right beyond those of the application's own role."""
    inventory = vault.project / "inventory" / "vault" / "environment.toml"
    inventory.write_text(inventory.read_text().replace('database_url = { secret = "ADMIN_DATABASE_URL" }\n', ""))


@pytest.mark.case(5)
def test_a_cut_connection_that_held_the_snapshot_ends_it(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    def then_cut(*arguments: Any, **options: Any) -> Any:
        found = fingerprints(*arguments, **options)
        vault.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE application_name = 'praviel-runbooks' AND pid <> pg_backend_pid() AND datname = current_database()"
        )
        return found

    monkeypatch.setattr(snapshot, "fingerprints", then_cut)

    said = vault.create_fails()

    assert "held the snapshot was cut" in said or "pg_dump failed" in said
    assert vault.snapshots().shelf.unfinished() == []


@pytest.mark.case(4)
def test_a_table_that_a_migration_holds_is_not_waited_for_without_end(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "LOCK_WAIT", "300ms")
    monkeypatch.setattr(access, "UNHINDERED", {**access.UNHINDERED, "lock_timeout": "300ms"})
    with vault.access.connection() as connection, connection.transaction():
        connection.execute("LOCK TABLE public.twin IN ACCESS EXCLUSIVE MODE")

        said = vault.create_fails()

    assert "lock" in said
    assert vault.snapshots().shelf.unfinished() == []


@pytest.mark.case(3)
def test_no_table_is_emptied_or_dropped_between_its_fingerprint_and_its_dump(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TRUNCATE empties a table for every moment, also for those before it: it has to wait."""
    refused = []

    def after_fingerprints(*arguments: Any, **options: Any) -> Any:
        found = fingerprints(*arguments, **options)
        for statement in ("TRUNCATE twin", "DROP TABLE twin", "ALTER TABLE twin ADD COLUMN c int"):
            with pytest.raises(SystemFault, match="refused") as caught:
                vault.execute(f"SET lock_timeout = '50ms'; {statement}")
            refused.append(caught.value.found)
        return found

    @contextlib.contextmanager
    def late(argv: Any, *arguments: Any, **options: Any) -> Iterator[Any]:
        """Pg_dump that has not even connected when the fingerprints are done."""
        yield None
        with running(argv, *arguments, **options):
            pass

    running = programs.running
    monkeypatch.setattr(snapshot, "fingerprints", after_fingerprints)
    monkeypatch.setattr(programs, "running", late)
    vault.create()

    assert len(refused) == 3
    assert all("lock timeout" in each for each in refused)


def test_a_store_that_refuses_half_way_leaves_nothing(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = FolderObjects.upload

    def refusing(self: FolderObjects, name: str, source: Any, *, expected: int) -> Any:
        if name.endswith("toc.dat"):
            raise SystemFault("the store has no room", reason=Reason.FAILED)
        return upload(self, name, source, expected=expected)

    monkeypatch.setattr(FolderObjects, "upload", refusing)

    assert "the store has no room" in vault.create_fails()
    assert list(vault.snapshots().shelf.store.names("snapshots/")) == []


@pytest.mark.usefixtures("manifest")
def test_a_restore_whose_sessions_are_cut_leaves_no_database(vault: Vault) -> None:
    """As a restart of the server cuts them."""
    before, over = vault.siblings(), threading.Event()

    def cut() -> None:
        while not over.wait(0.005):
            vault.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE '%\\_\\_restore\\_%'",
                "postgres",
            )

    thread = threading.Thread(target=cut)
    thread.start()
    try:
        vault.on("backup.restore", code=6)
    finally:
        over.set()
        thread.join()

    assert vault.siblings() == before
