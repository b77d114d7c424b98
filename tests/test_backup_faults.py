"""Full disks, programs that fail late, taken names, stores with versions: a snapshot is whole, or it does not exist."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from psycopg import sql

from runbooks.engine.errors import SystemFault
from runbooks.sandbox.world import Sandbox
from runbooks.steps import snapshot
from runbooks.systems.postgres import access
from runbooks.systems.snapshots import drills
from runbooks.systems.snapshots.manifest import encode
from runbooks.systems.snapshots.shelf import place
from runbooks.systems.store.s3 import S3Store
from tests.conftest import CHECKOUT
from tests.test_backup import in_bucket
from tests.vaults import Vault, vault_of

CONTENT = "CREATE TABLE word AS SELECT n, 'word ' || n AS text FROM generate_series(1, 100000) n"
POSTGRES = CHECKOUT / "runbooks" / "systems" / "postgres"


@pytest.fixture
def vault(sandbox: Sandbox, tmp_path: Path) -> Iterator[Vault]:
    with vault_of(sandbox, tmp_path, CONTENT, backup='compression = "none"') as made:
        yield made


def nothing_is_left(vault: Vault) -> None:
    assert list(vault.snapshots().shelf.store.names("snapshots/")) == []
    folder = vault.project / "var" / "snapshots" / vault.name
    assert not folder.exists() or list(folder.iterdir()) == []
    assert vault.siblings() == []


def with_little_room(vault: Vault, command: str, kilobytes: int) -> subprocess.CompletedProcess[str]:
    """A command as a process that may write no file larger than that: what a disk says that is full half-way."""
    words = shlex.join([sys.executable, "-m", "invoke", command, "--env", vault.name])
    return subprocess.run(
        ["/bin/sh", "-c", f"trap '' XFSZ; ulimit -f {kilobytes * 2}; exec {words}"],
        cwd=CHECKOUT,
        env=vault.shell.environment(),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.case(48)
def test_a_dump_that_fills_the_disk_leaves_nothing(vault: Vault) -> None:
    done = with_little_room(vault, "backup.create", 500)

    assert done.returncode == 6, done.stdout + done.stderr
    assert "File too large" in done.stdout
    nothing_is_left(vault)


@pytest.mark.case(48)
def test_a_download_that_fills_the_disk_leaves_nothing(vault: Vault) -> None:
    vault.create()

    done = with_little_room(vault, "backup.restore", 500)

    assert done.returncode == 6, done.stdout + done.stderr
    assert "File too large" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert vault.siblings() == []


@pytest.mark.case(50)
@pytest.mark.parametrize("streamed", [False, True], ids=["to a folder", "as a stream"])
def test_a_dump_that_fails_after_its_last_byte_is_no_snapshot(
    vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, streamed: bool
) -> None:
    if streamed:
        monkeypatch.setattr(snapshot, "room", lambda _folder: 0)
    real, folder = vault.own_programs, tmp_path / "bin"
    folder.mkdir()
    for name, last in (("pg_dump", 'case "$1" in --version) ;; *) echo late >&2; exit 1 ;; esac'), ("pg_restore", "")):
        program = folder / name
        program.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH={real.parent}/lib {real}/{name} "$@" || exit\n{last}\n')
        program.chmod(0o755)
    vault.programs = folder
    vault.write()

    said = vault.create_fails()

    assert "pg_dump failed" in said
    assert "late" in said
    nothing_is_left(vault)


@pytest.mark.case(54)
def test_a_snapshot_takes_nobodys_place(vault: Vault) -> None:
    manifest, _ = vault.create()
    shelf = vault.snapshots().shelf

    shelf.publish(manifest)  # again, as after a crash
    with pytest.raises(SystemFault, match="another snapshot has this id"):
        shelf.publish(replace(manifest, rows=1))

    assert shelf.find("newest") == manifest


@pytest.mark.case(55)
def test_a_bucket_that_keeps_versions_is_one_like_others(vault: Vault) -> None:
    in_bucket(vault, prefix="versions")
    vault.store = vault.store.replace('bucket = "', 'bucket = "versioned-')
    vault.write()
    store = vault.snapshots().shelf.store
    assert isinstance(store, S3Store)
    store.client.create_bucket(Bucket=store.bucket.name)
    store.client.put_bucket_versioning(Bucket=store.bucket.name, VersioningConfiguration={"Status": "Enabled"})

    manifest, _ = vault.create()
    assert "INTACT" in vault.on("backup.verify")
    assert "PROVEN" in vault.on("backup.restore")
    assert vault.snapshots().shelf.remove(manifest.id) == len(manifest.files) + 1
    assert vault.snapshots().shelf.ids() == []
    assert vault.snapshots().shelf.unfinished() == []


@pytest.mark.case(58)
def test_a_snapshot_of_the_future_meets_no_target(vault: Vault) -> None:
    """The server's clock is ahead of ours, or ours is behind: how old the snapshot is can't be told."""
    vault.backup = "rpo_hours = 24"
    vault.write()
    manifest, _ = vault.create()
    later = replace(manifest, taken=manifest.taken + timedelta(hours=3))
    (vault.project / "store" / place(manifest.id, "manifest.json")).write_bytes(encode(later))

    said = " ".join(vault.on("backup.drill", code=3).split())

    assert "in the future" in said
    assert "clock" in said
    (drill,) = drills.drills(vault.snapshots().shelf.store)
    assert drill.rpo is None


@pytest.mark.case(68)
def test_a_disk_that_is_full_while_an_index_is_built_leaves_no_database(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's own limit of temporary files says what its disk would say."""
    vault.backup += "\nrestore_memory_mb = 16\njobs = 1"
    vault.write()
    vault.execute("CREATE INDEX word_text ON word ((repeat(text, 30)))")
    vault.create()
    monkeypatch.setattr(access, "UNHINDERED", {**access.UNHINDERED, "temp_file_limit": "1MB"})

    said = " ".join(vault.on("backup.restore", code=6).split())

    assert "temporary file size exceeds" in said
    assert vault.siblings() == []


@pytest.mark.case(45)
def test_nothing_relies_on_md5() -> None:
    """A server in FIPS mode has none, nor has a client."""
    sources = [path.read_text() for path in POSTGRES.rglob("*") if path.suffix in (".py", ".sql")]

    assert [text for text in sources if "md5" in text.lower()] == []


@pytest.mark.case(76)
def test_a_tablespace_that_is_missing_is_named(vault: Vault) -> None:
    space = f"space_{vault.database}"
    with vault.access.connection(allow_in_place_tablespaces="on") as connection:
        connection.execute(sql.SQL("CREATE TABLESPACE {} LOCATION ''").format(sql.Identifier(space)))
    try:
        vault.execute(f"CREATE TABLE apart TABLESPACE {space} AS SELECT 1 AS n")
        vault.create()
        vault.execute(f"DROP TABLE apart; ALTER TABLESPACE {space} RENAME TO {space}_other")

        said = " ".join(vault.on("backup.restore", code=6).split())

        assert space in said
        assert vault.siblings() == []
    finally:
        vault.execute(f"DROP TABLESPACE IF EXISTS {space}_other", "postgres")
