"""Snapshots from end to end, with PostgreSQL's own programs: taken, checked, restored, and every loss named."""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyrage
import pytest

from runbooks import command, project
from runbooks.engine.errors import SystemFault
from runbooks.engine.step import Scope
from runbooks.options import Options
from runbooks.sandbox import object_store_server, ports
from runbooks.sandbox.world import Sandbox
from runbooks.steps import proof, restoration, snapshot
from runbooks.steps.restoring import Restoring
from runbooks.systems.postgres import databases
from runbooks.systems.postgres.fingerprint import fingerprints, tables
from runbooks.systems.postgres.snapshot import seeing
from runbooks.systems.snapshots.manifest import Manifest
from runbooks.systems.snapshots.portrait import unequal_rows
from runbooks.systems.snapshots.shelf import place
from tests.conftest import Shell
from tests.vaults import Vault


@contextlib.contextmanager
def hammering(vault: Vault, *, until_cut: bool = False) -> Iterator[list[int]]:
    """A writer that changes, adds and deletes rows all the time; how many transactions it has committed.

    Args:
        until_cut: Its connection may be cut; it then writes no more.
    """
    stop, written = threading.Event(), [0]

    def write() -> None:
        with (
            contextlib.suppress(*([SystemFault] if until_cut else [])),
            vault.access.connection(search_path="public") as writer,
        ):
            while not stop.is_set():
                with writer.transaction():
                    writer.execute("UPDATE value SET a_number = a_number + 1, a_vector = a_vector + '[1,1,1]'")
                    writer.execute("DELETE FROM twin WHERE ctid = (SELECT min(ctid) FROM twin)")
                    writer.execute("INSERT INTO twin SELECT nextval('ticket'), now()::text")
                    writer.execute("INSERT INTO event VALUES ('2026-06-06', repeat('x', 2000))")
                written[0] += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield written
    finally:
        stop.set()
        thread.join()


def rows_of(vault: Vault, name: str | None = None) -> dict[str, Any]:
    with seeing(vault.access, None, name) as connection:
        known = tables(connection)
    return fingerprints(vault.access, known, database=name, jobs=2, stopping=threading.Event())


def scope(run: str = "20261123T000000.000Z-backup.restore-test") -> Scope:
    return Scope(
        run=run,
        before={},
        seconds=300,
        stopping=threading.Event(),
        say=lambda _text: None,
        record=lambda _kind, **_data: None,
    )


@pytest.mark.case(1, 7, 27, 29, 30, 41, 72, 73, 77, 78)
def test_a_snapshot_taken_under_a_writer_restores_equal(vault: Vault) -> None:
    with hammering(vault) as written:
        manifest, said = vault.create()
        before = written[0]
        restored = vault.on("backup.restore")
    sibling = next(word for word in restored.split() if word.startswith(f"{vault.database}__restore"))

    assert before > 3, "the writer was at work"
    assert f"SNAPSHOT {manifest.id}" in said
    assert f"PROVEN {sibling} equals snapshot {manifest.id}" in restored
    assert list(unequal_rows(rows_of(vault, sibling), rows_of(vault))) != [], "the live database has gone on"
    assert manifest.heads == ("20260101_first",)
    assert not (vault.project / "var" / "snapshots" / "vault").exists() or not list(
        (vault.project / "var" / "snapshots" / "vault").iterdir()
    )


@pytest.fixture(scope="module")
def restored(
    sandbox_shell: Shell, database: str, kept: tuple[Path, Manifest], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Vault, Restoring]]:
    """A snapshot restored and proven, with its archive still at hand."""
    folder = tmp_path_factory.mktemp("restored")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(project.VARIABLE, str(folder))
        vault = Vault(folder, Sandbox.of(sandbox_shell.project), database)
        vault.write()
        store, manifest = kept
        shutil.copytree(store, folder / "store" / "snapshots")
        work = Restoring(vault.snapshots(), manifest, scope().run)
        for step in (restoration.fetch, restoration.create, restoration.fill, proof.prove):
            step(work, scope())
        yield vault, work


LOSSES = {
    "UPDATE value SET a_float = 0 WHERE id = 2": 'rows: "public"."value" has other values in its 50 rows',
    "DELETE FROM guarded WHERE id = 1": 'rows: "public"."guarded" has 1 rows, had 2',
    "INSERT INTO hen VALUES (1000, NULL)": 'rows: "public"."hen" has 2 rows, had 1',
    "DROP TABLE unlogged": "tables: public.unlogged is missing",
    "DROP INDEX value_text": "indexes: public.value_text is missing",
    "SELECT setval('ticket', 7)": "sequences: public.ticket is at 7",
    "REVOKE SELECT ON value FROM @reader": "grants: relation public.value is",
    "DROP EXTENSION citext CASCADE": "extensions: citext is missing",
    "ALTER DATABASE @name RESET bytea_output": "database: settings is",
    "REVOKE CONNECT ON DATABASE @name FROM @reader": "database: grants is",
    "ALTER DATABASE @name CONNECTION LIMIT 9": "database: connection limit is 9, was 50",
    "SELECT lo_put(4242, 0, '\\x00')": "large objects: has other values",
    "ALTER TABLE guarded NO FORCE ROW LEVEL SECURITY": "tables: public.guarded is “row security”",
    "DROP POLICY mine ON guarded": "policies: public.guarded mine is missing",
    'ALTER TABLE "Odd Schema"."Ünlikely ""Table""" DISABLE TRIGGER touching': "(enabled D)",
    "ALTER TABLE hen DROP CONSTRAINT hen_egg": "constraints: public.hen hen_egg is missing",
    "CREATE OR REPLACE FUNCTION doubled(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 3'": (
        "functions: public.doubled(integer) is"
    ),
    "ALTER TABLE child OWNER TO postgres": "owners: relation public.child is “postgres”",
    "COMMENT ON TABLE twin IS NULL": "comments: table public.twin is missing",
    "REFRESH MATERIALIZED VIEW counted WITH NO DATA": "tables: public.counted is “materialized not populated”",
    "ALTER TYPE mood ADD VALUE 'new'": "types: public.mood is",
    "DROP PUBLICATION pairs": "publications: pairs is missing",
    "DROP STATISTICS value_both": "statistics: public.value_both is missing",
    "UPDATE alembic_version SET version_num = '2_second'": "migrations: at 2_second, were at 20260101_first",
}
"""What is done to a restored database, and how the proof must name it."""


@pytest.mark.case(40, 41, 77, 78, 79)
def test_every_loss_is_named(restored: tuple[Vault, Restoring]) -> None:
    vault, work = restored
    with clone(vault, work) as copy:
        reader = vault.database.replace("vault", "reader")
        for statement in LOSSES:
            vault.execute(statement.replace("@name", copy.sibling).replace("@reader", reader), copy.sibling)
        with pytest.raises(SystemFault, match="is not the one that was copied"):
            proof.prove(copy, scope())

    unnamed = [words for words in LOSSES.values() if not any(words in each for each in copy.differences)]
    assert unnamed == [], copy.differences


@pytest.mark.parametrize("statement", ["UPDATE value SET a_bool = NOT a_bool WHERE id = 17", "DROP INDEX value_near"])
def test_one_loss_is_the_only_difference(restored: tuple[Vault, Restoring], statement: str) -> None:
    vault, work = restored
    with clone(vault, work) as copy:
        vault.execute(statement, copy.sibling)
        with pytest.raises(SystemFault):
            proof.prove(copy, scope())

    assert len(copy.differences) == 1


@contextlib.contextmanager
def clone(vault: Vault, work: Restoring) -> Iterator[Restoring]:
    """Another database like the restored one, whose losses are nobody's business afterwards."""

    class Copy(Restoring):
        sibling = f"{vault.database}__copy"

    copy = Copy(work.snapshots, work.manifest, work.run)
    with vault.access.connection() as connection:
        connection.execute(f'CREATE DATABASE "{copy.sibling}" TEMPLATE "{work.sibling}" STRATEGY file_copy')
        databases.bestow(connection, copy.sibling, work.contents.properties)
        connection.execute(f'ALTER DATABASE "{copy.sibling}" OWNER TO {work.contents.properties.owner}')
    try:
        yield copy
    finally:
        with vault.access.connection() as connection:
            databases.drop(connection, copy.sibling)


def test_a_proof_that_compares_nothing_fails(restored: tuple[Vault, Restoring]) -> None:
    _, work = restored
    empty = Restoring(work.snapshots, work.manifest, work.run)
    empty.__dict__["contents"] = replace(work.contents, tables={})

    with pytest.raises(SystemFault, match="nothing to prove"):
        proof.prove(empty, scope())


def test_a_streamed_and_encrypted_snapshot_in_a_bucket_restores_equal(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "room", lambda _folder: 0)
    key = pyrage.x25519.Identity.generate()
    in_bucket(vault, prefix="streamed")
    vault.backup = f'recipients = ["{key.to_public()}"]\nidentity = {{ secret = "AGE_IDENTITY" }}'
    vault.secrets["AGE_IDENTITY"] = str(key)
    vault.write()

    manifest, said = vault.create()
    assert manifest.archive == "custom"
    assert "streamed" in said
    assert [file.name for file in manifest.files] == ["data/archive", "contents.json"]
    assert b"text 1" not in b"".join(vault.snapshots().shelf.objects.download(place(manifest.id, "data/archive")))
    assert "INTACT" in vault.on("backup.verify")
    assert "PROVEN" in vault.on("backup.restore")

    vault.backup = f'recipients = ["{key.to_public()}"]'
    vault.write()
    assert "UNDECIDED" in vault.on("backup.verify", code=4)
    assert "no key to read it with" in vault.on("backup.restore", code=6)


def in_bucket(vault: Vault, prefix: str) -> None:
    port = vault.sandbox.numbers()[ports.OBJECT_STORE]
    bucket = object_store_server.store(vault.sandbox.layout, port, "local").bucket
    assert bucket.access_key
    assert bucket.secret_key
    vault.store = (
        f'bucket = "{bucket.name}"\nprefix = "{prefix}-{vault.database}"\nendpoint = "{bucket.endpoint}"\n'
        f'region = "{bucket.region}"\naccess_key = "{bucket.access_key.reveal()}"\n'
        'secret_key = { secret = "STORE_SECRET" }'
    )
    vault.secrets["STORE_SECRET"] = bucket.secret_key.reveal()


@pytest.mark.usefixtures("manifest")
def test_a_plan_changes_nothing(vault: Vault) -> None:
    before, siblings = list(vault.snapshots().shelf.store.names("")), vault.siblings()

    command.start("backup.create", Options(environment="vault", plan=True))
    vault_plan = Options(environment="vault", plan=True)
    command.start("backup.restore", replace(vault_plan, parameters={"snapshot": "newest"}))

    assert list(vault.snapshots().shelf.store.names("")) == before
    assert vault.siblings() == siblings
