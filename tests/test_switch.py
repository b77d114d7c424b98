"""A restored database put in the place of the live one: what is kept, who gets in, and what stands against it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from runbooks import project, snapshots
from runbooks.engine import lease
from runbooks.engine.errors import LeaseHeld, LeaseLost, SystemFault
from runbooks.options import Options
from runbooks.sandbox.world import Sandbox
from runbooks.systems.postgres import databases, exchange
from runbooks.systems.postgres.databases import Mark
from runbooks.systems.postgres.exchange import QUARANTINED, Exchange
from runbooks.systems.postgres.records import Properties
from runbooks.systems.snapshots.manifest import Manifest
from runbooks.systems.store.folder import FolderStore
from tests.plain_vaults import PlainVault, plain_vault
from tests.reconnecting import clients


@pytest.fixture
def vault(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PlainVault]:
    """A database whose owner may create others and is no superuser."""
    monkeypatch.setenv(project.VARIABLE, str(tmp_path))
    with plain_vault(sandbox, tmp_path) as made:
        yield made


@pytest.fixture
def manifest(vault: PlainVault) -> Manifest:
    """A snapshot; the live database has gone on since."""
    manifest, _ = vault.create()
    vault.execute("INSERT INTO note (body) VALUES ('written after the snapshot')")
    return manifest


def notes(vault: PlainVault, database: str | None = None) -> int:
    (row,) = vault.execute("SELECT count(*) AS count FROM note", database)
    return int(row["count"])


def properties(vault: PlainVault) -> Properties:
    with vault.access.connection() as connection:
        found = databases.properties(connection, vault.database)
    assert found
    return found


def quarantined(vault: PlainVault) -> list[Mark]:
    """The marks of what is in quarantine."""
    with vault.access.connection("postgres") as connection:
        marks = [databases.mark(connection, name) for name in vault.siblings()]
    return [mark for mark in marks if mark and mark.state == QUARANTINED]


@pytest.mark.case(90, 94)
def test_the_snapshot_is_live_and_what_was_is_kept_closed_and_whole(vault: PlainVault, manifest: Manifest) -> None:
    vault.execute(
        f"COMMENT ON DATABASE {vault.database} IS 'ours'; ALTER DATABASE {vault.database} SET work_mem = '7MB'"
    )
    vault.execute(
        f"ALTER DATABASE {vault.database} CONNECTION LIMIT 40; REVOKE TEMP ON DATABASE {vault.database} FROM PUBLIC"
    )
    before = properties(vault)

    said = vault.switch()

    (aside,) = vault.siblings()
    (mark,) = quarantined(vault)
    assert f"SWITCHED {vault.database} is snapshot {manifest.id}" in said
    assert notes(vault) == 100
    assert properties(vault) == before, "settings, limit, rights and comment are today's"
    assert (mark.snapshot, mark.of, mark.comment) == (manifest.id, vault.database, "ours")
    assert mark.run
    assert mark.by
    assert mark.at
    with pytest.raises(SystemFault, match="not currently accepting connections"):
        notes(vault, aside)
    with vault.opened(aside):
        assert notes(vault, aside) == 101, "nothing is lost"


@pytest.mark.case(93)
@pytest.mark.usefixtures("manifest")
def test_a_second_switch_leaves_the_first_quarantine_alone(vault: PlainVault) -> None:
    vault.switch()
    (first,) = vault.siblings()
    vault.execute("INSERT INTO note (body) VALUES ('x'), ('y')")

    vault.switch()

    assert notes(vault) == 100
    second = next(name for name in vault.siblings() if name != first)
    with vault.opened(first), vault.opened(second):
        assert (notes(vault, first), notes(vault, second)) == (101, 102)


@pytest.mark.case(84)
@pytest.mark.usefixtures("manifest")
def test_clients_come_back_by_themselves_and_none_sees_an_old_row_after_a_new_one(vault: PlainVault) -> None:
    with clients(vault.owner_url, 20) as made:
        vault.switch()
        sighted = [len(client.seen) for client in made]
        deadline = time.monotonic() + 20
        while any(len(c.seen) <= n for c, n in zip(made, sighted, strict=True)) and time.monotonic() < deadline:
            time.sleep(0.01)

    for client in made:
        assert [count for count, _ in itertools.groupby(client.seen)] == [101, 100]


@pytest.mark.case(95)
@pytest.mark.usefixtures("manifest")
def test_where_the_application_can_not_connect_the_old_database_comes_back(vault: PlainVault) -> None:
    vault.application_password = "wrong"
    vault.write()

    said = vault.switch(code=6)

    assert "password authentication failed" in " ".join(said.split())
    assert notes(vault) == 101, "the old one is live again"
    (aside,) = vault.siblings()
    assert aside.endswith("_back"), "the restored one is kept: somebody may have written to it"


@pytest.mark.case(89)
@pytest.mark.usefixtures("manifest")
def test_a_superusers_session_stands_against_it_and_nothing_is_changed(vault: PlainVault) -> None:
    with vault.superusers_session():
        said = " ".join(vault.switch(code=6).split())

    assert "the right to end 1 sessions of postgres" in said
    assert notes(vault) == 101
    assert vault.siblings() == []


def test_whoever_does_not_own_the_database_is_told_what_is_lacking(vault: PlainVault) -> None:
    vault.create()
    vault.as_superuser(f"ALTER DATABASE {vault.database} OWNER TO postgres")
    try:
        said = " ".join(vault.switch(code=6).split())
    finally:
        vault.as_superuser(f"ALTER DATABASE {vault.database} OWNER TO {vault.role}")

    assert f"GRANT postgres TO {vault.role}" in said


@pytest.mark.case(91)
def test_a_name_that_would_be_cut_is_refused_before_anything_is_done() -> None:
    with pytest.raises(SystemFault, match="too long"):
        databases.sibling_name("d" * 40, "quarantine", "20261128_abcd_back")


@pytest.mark.case(99)
@pytest.mark.usefixtures("manifest")
def test_while_another_run_holds_the_lease_nothing_is_begun(vault: PlainVault) -> None:
    store = FolderStore(vault.project / "store")
    held = lease.acquire(store, run="20261128T000000.000Z-backup.drill-zzzz", reason="a drill")
    try:
        with pytest.raises(LeaseHeld, match="another run is changing this environment"):
            snapshots.start("backup.drill", "newest", Options(environment=vault.name))
    finally:
        lease.release(store, held)
    assert vault.siblings() == []


def exchange_by(vault: PlainVault, run: str, token: int) -> Exchange:
    mark = Mark(run, QUARANTINED, "s", vault.database, by="somebody", token=token)
    aside = f"{vault.database}__quarantine_{run}"
    return Exchange(live=vault.database, replacement=f"{vault.database}__restore_{run}", aside=aside, mark=mark)


def test_a_holder_that_wakes_up_late_is_refused_by_its_token(vault: PlainVault) -> None:
    early, late = exchange_by(vault, "early", 4), exchange_by(vault, "late", 5)
    vault.execute(f"CREATE DATABASE {early.replacement}", "postgres")
    vault.execute(f"CREATE DATABASE {late.replacement} TEMPLATE {vault.database}", "postgres")
    exchange.swap(vault.access, late)
    with pytest.raises(LeaseLost, match="a later run has been at this database"):
        exchange.swap(vault.access, early)

    assert notes(vault) == 100
    assert sorted(vault.siblings()) == sorted([late.aside, early.replacement])


def test_as_long_as_something_else_holds_the_database_nobody_is_cut_off(
    vault: PlainVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "SECONDS_TO_END", 0.0)
    monkeypatch.setattr(exchange, "LOCK_WAIT", "200ms")
    wanted = exchange_by(vault, "one", 4)
    vault.execute(f"CREATE DATABASE {wanted.replacement} TEMPLATE {vault.database}", "postgres")
    with (
        psycopg.connect(vault.owner_url, autocommit=True) as client,
        vault.access.connection("postgres") as other,
        other.transaction(),
    ):
        pid = other.info.backend_pid
        other.execute(sql.SQL("COMMENT ON DATABASE {} IS 'busy'").format(sql.Identifier(vault.database)))
        with pytest.raises(SystemFault, match="something else holds the database") as refused:
            exchange.swap(vault.access, wanted)
        assert client.execute("SELECT count(*) FROM note").fetchone() == (100,)

    assert f"{pid} of {vault.role}" in refused.value.found
    assert vault.siblings() == [wanted.replacement]
