"""The switch on a server of its own: crashes, prepared transactions, slots, autovacuum, a standby, PgBouncer."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from runbooks import project
from runbooks.engine.errors import SystemFault
from runbooks.engine.wait import until
from runbooks.sandbox import ports
from runbooks.sandbox.layout import Layout
from runbooks.steps import switching
from runbooks.systems.postgres import databases, exchange
from runbooks.systems.postgres.cluster import Cluster
from runbooks.systems.postgres.snapshot import Holder, held
from tests.own_servers import OwnVault, crash, own_server, standby_of, vault_on
from tests.poolers import PGBOUNCER, listening, pgbouncer
from tests.reconnecting import clients
from tests.sandbox.servers import open_folder

SETTINGS = {
    "wal_level": "logical",
    "max_prepared_transactions": "4",
    "autovacuum_naptime": "1s",
    "shared_buffers": "32MB",
    "fsync": "off",
}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(installed: Layout) -> Iterator[Cluster]:
    with own_server(installed, SETTINGS) as made:
        yield made


@pytest.fixture
def vault(server: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OwnVault:
    """With a snapshot of a hundred notes; the live database has one more."""
    monkeypatch.setenv(project.VARIABLE, str(tmp_path))
    made = vault_on(server, tmp_path, f"own_{secrets.token_hex(3)}")
    made.create()
    made.execute("INSERT INTO note (body) VALUES ('written after the snapshot')")
    return made


def notes(vault: OwnVault) -> int:
    (row,) = vault.execute("SELECT count(*) AS count FROM note")
    return int(row["count"])


@pytest.mark.case(86)
def test_a_server_that_crashes_between_the_renames_has_the_names_of_before(
    vault: OwnVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crashing(*given: Any) -> None:
        monkeypatch.undo()
        monkeypatch.setenv(project.VARIABLE, str(vault.project))
        crash(vault.cluster)
        databases.set_mark(*given)

    monkeypatch.setattr(exchange, "set_mark", crashing)
    vault.switch(code=6)

    assert notes(vault) == 101
    assert vault.siblings() == []
    vault.switch()
    assert notes(vault) == 100


@pytest.mark.case(86)
def test_a_server_that_crashes_after_the_switch_has_the_names_of_after(
    vault: OwnVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    def then_crash(*given: Any) -> str:
        said = exchange.swap(*given)
        crash(vault.cluster)
        return said

    monkeypatch.setattr(switching, "swap", then_crash)
    said = vault.switch()

    assert "SWITCHED" in said
    assert notes(vault) == 100


@pytest.mark.case(87)
def test_a_prepared_transaction_stands_against_it_and_is_named(vault: OwnVault) -> None:
    with vault.access.connection(search_path="public") as connection:
        connection.execute("BEGIN")
        connection.execute("INSERT INTO note (body) VALUES ('prepared')")
        connection.execute("PREPARE TRANSACTION 'half'")
        try:
            said = vault.switch(code=6)
        finally:
            connection.execute("COMMIT PREPARED 'half'")

    assert "the prepared transaction half (COMMIT PREPARED or ROLLBACK PREPARED it)" in said
    assert notes(vault) == 102
    assert vault.siblings() == []


@pytest.mark.case(87)
def test_one_that_is_prepared_at_the_last_moment_keeps_the_database_where_it_is(
    vault: OwnVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    swap = exchange._swap

    def late(*given: Any) -> str:
        with vault.access.connection(search_path="public") as connection:
            connection.execute("BEGIN")
            connection.execute("INSERT INTO note (body) VALUES ('prepared')")
            connection.execute("PREPARE TRANSACTION 'late'")
        return swap(*given)

    monkeypatch.setattr(exchange, "_swap", late)
    said = vault.switch(code=6)
    with vault.access.connection() as connection:
        connection.execute("COMMIT PREPARED 'late'")

    assert "1 prepared transaction using the database" in said
    assert notes(vault) == 102
    assert vault.siblings() == []


@pytest.mark.case(88)
def test_a_logical_slot_stands_against_it_and_is_named(vault: OwnVault) -> None:
    with vault.access.connection() as connection:
        connection.execute("SELECT pg_create_logical_replication_slot('changes', 'pgoutput')")
        try:
            said = vault.switch(code=6)
        finally:
            connection.execute("SELECT pg_drop_replication_slot('changes')")

    assert "the logical replication slot changes, which would stay with the database that is put aside" in said
    assert notes(vault) == 101


@pytest.mark.case(96)
def test_autovacuum_at_work_in_the_database_gives_way(vault: OwnVault) -> None:
    vault.execute(
        "CREATE TABLE busy WITH (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1,"
        " autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0) AS"
        " SELECT n, repeat('x', 500) AS filling FROM generate_series(1, 50000) n"
    )
    vault.execute("DELETE FROM busy")
    until(lambda: vacuumed(vault) == 1, seconds=60, what="autovacuum does not come")

    vault.switch()

    assert notes(vault) == 100
    assert vacuumed(vault) == 0


def vacuumed(vault: OwnVault) -> int:
    rows = vault.execute(
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'autovacuum worker' AND query LIKE '%public.busy%'"
        f" AND datname = '{vault.database}'",
        "postgres",
    )
    return len(rows)


@pytest.mark.case(97)
def test_a_standby_follows_and_its_clients_have_to_connect_again(vault: OwnVault) -> None:
    with standby_of(vault.cluster) as standby:
        access = standby.access(vault.database)
        until(lambda: rows(access.url.reveal()) == 101, seconds=60, what="the standby lags", ignoring=(psycopg.Error,))
        with psycopg.connect(access.url.reveal(), autocommit=True) as reader:
            said = vault.switch()

            until(lambda: rows(access.url.reveal()) == 100, seconds=60, what="no switch", ignoring=(psycopg.Error,))
            assert reader.execute("SELECT count(*) FROM note").fetchone() == (101,)
            with standby.access("postgres").connection() as connection:
                found = connection.execute(
                    "SELECT datname::text AS name, datallowconn AS open FROM pg_database"
                    " WHERE starts_with(datname, %s)",
                    [vault.database],
                ).fetchall()

    (aside,) = vault.siblings()
    assert {row["name"]: row["open"] for row in found} == {vault.database: True, aside: False}
    assert "1 replicas follow: who reads there goes on with the old database until he connects again" in said


@pytest.mark.case(6)
def test_a_snapshot_on_a_standby_is_given_up_where_what_it_reads_is_vacuumed_away(vault: OwnVault) -> None:
    with standby_of(vault.cluster, {"max_standby_streaming_delay": "0"}) as standby:
        there = replace(vault, cluster=standby, store='folder = "another store"')
        until(lambda: notes(there) == 101, seconds=60, what="the standby lags", ignoring=(psycopg.Error,))
        with held(there.access) as holder:
            holder.confirm()
            vault.execute("DELETE FROM note WHERE id > 100")
            vault.execute("VACUUM note")
            until(lambda: cut(holder), seconds=60, what="the conflict does not come")
            with pytest.raises(SystemFault, match="the connection that held the snapshot was cut"):
                holder.confirm()
        until(lambda: notes(there) == 100, seconds=60, what="the standby lags")
        there.write()
        manifest, _ = there.create()
    assert manifest.rows == 100


def cut(holder: Holder) -> bool:
    try:
        holder.confirm()
    except SystemFault:
        return True
    return False


@pytest.mark.case(98)
@pytest.mark.skipif(PGBOUNCER is None, reason="no PgBouncer is installed")
def test_clients_behind_pgbouncer_come_back_by_themselves(vault: OwnVault) -> None:
    port = ports.choose()
    url = f"postgresql://postgres:any@{ports.LOOPBACK}:{port}/{vault.database}"
    server = f"host={vault.cluster.folder} port=5432"
    with open_folder() as folder:
        command = pgbouncer(folder, url, port, server=server, more="server_login_retry = 1")
        with listening(command, port), clients(url, 10) as made:
            vault.switch()
            until(lambda: {each.seen[-1] for each in made} == {100}, seconds=60, what="some see the old database")

    for client in made:
        assert [count for count, _ in itertools.groupby(client.seen)] == [101, 100]


def rows(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM note").fetchone()
    assert row
    return int(row[0])
