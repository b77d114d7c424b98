"""A restored database put in the place of the live one: what is kept, who gets in, and what stands against it."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
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


@dataclass
class Client:
    """Connects again whenever it is cut off, and keeps what it saw and for how long it saw nothing."""

    url: str
    stop: threading.Event
    seen: list[int] = field(default_factory=list)
    longest: float = 0.0

    def run(self) -> None:
        last = time.monotonic()
        while not self.stop.is_set():
            with (
                contextlib.suppress(psycopg.OperationalError),
                psycopg.connect(self.url, autocommit=True) as client,
            ):
                while not self.stop.is_set():
                    row = client.execute("SELECT count(*) FROM note").fetchone()
                    assert row
                    now = time.monotonic()
                    self.longest, last = max(self.longest, now - last), now
                    self.seen.append(row[0])
                    self.stop.wait(0.005)
            self.stop.wait(0.02)


@contextlib.contextmanager
def clients(vault: PlainVault, count: int) -> Iterator[list[Client]]:
    """So many clients are at work."""
    stop = threading.Event()
    made = [Client(vault.owner_url, stop) for _ in range(count)]
    threads = [threading.Thread(target=client.run) for client in made]
    for thread in threads:
        thread.start()
    try:
        yield made
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.mark.case(84)
@pytest.mark.usefixtures("manifest")
def test_clients_come_back_by_themselves_and_none_sees_an_old_row_after_a_new_one(vault: PlainVault) -> None:
    with clients(vault, 20) as made:
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
def test_a_superusers_session_stands_against_it_and_nothing_is_closed(vault: PlainVault) -> None:
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
    with vault.access.connection("postgres") as connection:
        exchange.close(connection, late)
        exchange.swap(connection, late)
        with pytest.raises(LeaseLost, match="a later run has been at this database"):
            exchange.close(connection, early)
        with pytest.raises(LeaseLost, match="a later run has been at this database"):
            exchange.swap(connection, early)

    assert notes(vault) == 100
    assert sorted(vault.siblings()) == sorted([late.aside, early.replacement])


def test_what_another_run_has_closed_is_left_to_it(vault: PlainVault) -> None:
    first, second = exchange_by(vault, "first", 4), exchange_by(vault, "second", 5)
    with vault.access.connection("postgres") as connection:
        exchange.close(connection, first)
        with pytest.raises(SystemFault, match="another run has closed the database") as refused:
            exchange.close(connection, second)
        statements = refused.value.mend.partition("has overtaken it: ")[2]
        connection.execute(sql.SQL(statements))

    assert notes(vault) == 100, "the statements that are shown open it again"
