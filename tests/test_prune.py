"""Pruning from end to end: what is kept and why, what killed runs have left, and what is nobody's to remove."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runbooks import project
from runbooks.engine.journal import Journal
from runbooks.engine.redact import Redactor
from runbooks.sandbox.world import Sandbox
from runbooks.systems.postgres import databases
from runbooks.systems.postgres.databases import Mark
from runbooks.systems.postgres.exchange import QUARANTINED
from runbooks.systems.postgres.side_table import Column, SideStage, SideTable, found
from runbooks.systems.snapshots import drills
from runbooks.systems.snapshots.drills import FAILED, PROVEN, Drill
from runbooks.systems.snapshots.manifest import Manifest, encode
from runbooks.systems.snapshots.shelf import place
from tests.conftest import Shell
from tests.engine.toys import write_journal
from tests.systems.releases.ledgers import Writer
from tests.vaults import Vault

LONG_AGO, TODAY = "20250101T000000.000Z-backup.{}-abcd", f"{datetime.now(UTC):%Y%m%d}T000000.000Z-backup.restore-abcd"


@pytest.fixture(scope="module")
def first(sandbox_shell: Shell, database: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    """A store with one snapshot."""
    folder = tmp_path_factory.mktemp("first")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(project.VARIABLE, str(folder))
        vault = Vault(folder, Sandbox.of(sandbox_shell.project), database)
        vault.write()
        return folder / "store", vault.create()[0]


@pytest.fixture
def vault(
    sandbox: Sandbox, database: str, first: tuple[Path, Manifest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Vault]:
    monkeypatch.setenv(project.VARIABLE, str(tmp_path))
    made = Vault(tmp_path, sandbox, database, backup="keep = { last = 2 }")
    made.write()
    shutil.copytree(first[0] / "snapshots", tmp_path / "store" / "snapshots")
    before = made.siblings()
    yield made
    for name in set(made.siblings()) - set(before):
        made.execute(f"DROP DATABASE {name} WITH (FORCE)", "postgres")


@pytest.fixture
def row(vault: Vault, first: tuple[Path, Manifest]) -> list[str]:
    """The ids of five snapshots, the newest first."""
    newest = first[1]
    return [newest.id, *(vault.older(newest, timedelta(days=days)).id for days in (1, 2, 3, 4))]


def there(vault: Vault) -> set[str]:
    return set(vault.snapshots().shelf.ids())


def drilled(vault: Vault, snapshot: str, verdict: str, ago: int) -> None:
    """The record of a drill."""
    ended = datetime.now(UTC) - timedelta(days=ago)
    run = f"{ended:%Y%m%dT%H%M%S}.000Z-backup.drill-abcd"
    drills.put(
        vault.snapshots().shelf.store, Drill(run=run, verdict=verdict, snapshot=snapshot, ended=ended, server=18)
    )


def test_the_plan_says_what_speaks_for_each_and_removes_nothing(vault: Vault, row: list[str]) -> None:
    drilled(vault, row[3], PROVEN, 9)
    drilled(vault, row[4], FAILED, 1)

    said = vault.prune(plan=True)

    assert f"keep    {row[0]}  last, the newest" in said
    assert f"keep    {row[3]}  the last one that a drill has proven" in said
    assert [line.split()[1] for line in said.splitlines() if "remove  " in line] == [row[4], row[2]], "oldest first"
    assert there(vault) == set(row)


def test_only_what_nothing_speaks_for_is_removed(vault: Vault, row: list[str]) -> None:
    drilled(vault, row[3], PROVEN, 9)
    needed = json.dumps({"commit": "abc", "releases": [{"snapshot_before": row[4]}]}).encode()
    vault.snapshots().shelf.store.put("releases/0007.json", needed, replaces=None)

    said = vault.prune()

    assert "PRUNED vault: 1 snapshots removed; 4 snapshots in" in said
    assert there(vault) == {row[0], row[1], row[3], row[4]}
    assert list(vault.snapshots().shelf.store.names(place(row[2], ""))) == []
    assert "nothing removed" in vault.prune(), "there is nothing more to do"


def test_the_plan_names_the_way_back_and_the_quarantine_that_a_snapshot_stays_for(vault: Vault, row: list[str]) -> None:
    writer = Writer(vault.snapshots().shelf.store)
    writer.deployed("v1", before=row[4])
    writer.deployed("v2", before=row[3])
    aside = sibling(vault, "quarantine_20250101_dddd", Mark(LONG_AGO.format("restore"), QUARANTINED, row[2]))

    said = vault.prune(plan=True)
    vault.prune()

    assert f"keep    {row[3]}  a rollback to v1 would restore it" in said
    assert f"keep    {row[2]}  it was restored when {aside} was put aside" in said
    assert f"remove  {row[4]}" in said, "nothing ran ahead of v1"
    assert there(vault) == set(row[:4])


def test_of_a_server_that_is_silent_every_snapshot_of_the_ledger_stays(vault: Vault, row: list[str]) -> None:
    Writer(vault.snapshots().shelf.store).deployed("v1", before=row[4])
    silence(vault)

    assert f"keep    {row[4]}  the ledger names it (v1)" in vault.prune(plan=True)


def test_without_a_rule_no_snapshot_is_removed(vault: Vault, row: list[str]) -> None:
    vault.backup = ""
    vault.write()

    assert "nothing removed" in vault.prune()
    assert "no [backup.keep] in the inventory" in vault.prune(plan=True)
    assert there(vault) == set(row)


def test_the_newest_stays_also_where_the_clock_of_its_server_was_wrong(vault: Vault, row: list[str]) -> None:
    shelf = vault.snapshots().shelf
    manifest = shelf.find("newest")
    path = vault.project / "store" / place(manifest.id, "manifest.json")
    path.write_bytes(encode(replace(manifest, taken=manifest.taken - timedelta(days=900))))

    vault.prune()

    assert there(vault) == {row[0], row[1], row[2]}


def test_what_can_not_be_read_or_is_another_database_s_stays(vault: Vault, row: list[str]) -> None:
    (vault.project / "store" / place(row[4], "manifest.json")).write_text("{")
    manifest = vault.snapshots().shelf.manifest(row[3])
    assert manifest
    other = encode(replace(manifest, database="another"))
    (vault.project / "store" / place(row[3], "manifest.json")).write_bytes(other)

    said = vault.prune(plan=True)
    vault.prune()

    assert f"keep    {row[4]}  its manifest can't be read" in said
    assert there(vault) == {row[0], row[1], row[3], row[4]}


@pytest.mark.parametrize("name", ["releases/1.json", f"drills/{LONG_AGO.format('drill')}.json"])
def test_where_a_record_can_not_be_read_nothing_is_removed(name: str, vault: Vault, row: list[str]) -> None:
    vault.snapshots().shelf.store.put(name, b"{", replaces=None)

    said = vault.prune(code=6)

    assert name in said
    assert there(vault) == set(row)


def test_uploads_that_were_killed_are_removed_also_inside_a_whole_snapshot(vault: Vault, row: list[str]) -> None:
    store = vault.project / "store"
    dead, fresh = "20250101T000000Z-abcd", f"{datetime.now(UTC):%Y%m%dT%H%M%S}Z-wxyz"
    for id in (dead, fresh):
        (store / place(id, "data")).mkdir(parents=True)
        (store / place(id, "data/.1.dat.unfinished")).write_bytes(b"half")
    (store / place(dead, "contents.json")).write_bytes(b"{}")
    (store / place(row[0], ".contents.json.unfinished")).write_bytes(b"half")

    said = vault.prune(plan=True)
    vault.prune()

    assert f"remove  {place(dead, '')}, which has no manifest" in said
    assert f"abort the unfinished writes below {place(row[0], '')}" in said
    assert vault.snapshots().shelf.unfinished() == [fresh], "another machine may still be making it"
    assert vault.snapshots().shelf.objects.unfinished(place(row[0], "")) == []
    assert "INTACT" in vault.on("backup.verify", row[0])


def sibling(vault: Vault, tail: str, mark: Mark | None) -> str:
    """A database beside the vault's."""
    name = f"{vault.database}__{tail}"
    vault.execute(f"CREATE DATABASE {name}")
    if mark:
        with vault.access.connection() as connection:
            databases.set_mark(connection, name, mark)
    return name


def test_only_databases_that_a_killed_run_left_half_made_are_dropped(vault: Vault) -> None:
    dead, drill = LONG_AGO.format("restore"), LONG_AGO.format("drill")
    gone = {
        sibling(vault, "restore_20250101_aaaa", Mark(dead, "filling")),
        sibling(vault, "restore_20250101_aaab", Mark(drill, "proven")),
        sibling(vault, "restore_20250101_aaac", None),
    }
    kept = {
        sibling(vault, "restore_20250101_aaad", Mark(dead, "proven")),
        sibling(vault, "restore_20250101_aaae", Mark(TODAY, "filling")),
        sibling(vault, "quarantine_20250101_aaaf", Mark(dead, "quarantined")),
        sibling(vault, "copy_by_hand", None),
    }
    by_hand = sibling(vault, "restore_20250101_aaag", None)
    vault.execute("CREATE TABLE somebodys ()", by_hand)

    said = vault.prune(plan=True)
    vault.prune()

    assert all(f"DROP DATABASE {name}" in said for name in gone)
    assert "it is yours" in said
    assert set(vault.siblings()) == {*kept, by_hand}


def test_a_database_that_subscribes_to_something_is_dropped_too(vault: Vault) -> None:
    name = sibling(vault, "restore_20250101_aaaa", Mark(LONG_AGO.format("restore"), "filling"))
    vault.execute(
        f"CREATE SUBSCRIPTION left_{vault.database} CONNECTION 'host=127.0.0.1 port=9 dbname=none'"
        " PUBLICATION news WITH (connect = false, slot_name = 'live')",
        name,
    )

    vault.prune()

    assert name not in vault.siblings()


def test_a_database_that_somebody_is_in_stays_and_is_named(vault: Vault) -> None:
    name = sibling(vault, "restore_20250101_bbbb", Mark(LONG_AGO.format("restore"), "filled"))
    with vault.access.connection(name):
        said = vault.prune(plan=True)
        vault.prune()
        assert name in vault.siblings()

    assert f"keep    {name}: 1 sessions are in it" in said
    assert "1 databases removed" in vault.prune()
    assert name not in vault.siblings()


def test_dumps_of_runs_that_are_over_are_removed_from_this_machine(vault: Vault) -> None:
    work, runs = vault.project / "var" / "snapshots" / "vault", vault.project / "var" / "runs" / "vault"
    dead, alive = "20260101T000000.000Z-backup.create-aaaa", "20260101T000000.000Z-backup.create-bbbb"
    for run in (dead, alive, TODAY, "notes"):
        (work / run).mkdir(parents=True)
        (work / run / "archive").write_bytes(b"rows")
    journal = Journal.create(runs / alive, Redactor())
    try:
        vault.prune()
    finally:
        journal.close()

    assert {path.name for path in work.iterdir()} == {alive, TODAY, "notes"}


def test_what_a_run_made_that_can_still_go_on_stays_until_it_is_overtaken(vault: Vault, row: list[str]) -> None:
    runs, spare = vault.project / "var" / "runs" / "vault", row[-1]
    waiting = f"{spare[:15]}.000Z-release.deploy-{spare[-4:]}"
    write_journal(runs / waiting, "run", "lease")
    scratch = sibling(vault, "restore_20250101_cccc", Mark(waiting, "filling"))

    said = vault.prune(plan=True)
    vault.prune()
    assert f"run {waiting} can still be resumed or taken back" in said
    assert spare in there(vault)
    assert scratch in vault.siblings()

    write_journal(runs / TODAY.replace("backup.restore", "release.deploy"), "run", "lease", "intent")
    vault.prune()
    assert spare not in there(vault)
    assert scratch not in vault.siblings()


def silence(vault: Vault) -> None:
    """Have the inventory name a server that does not answer."""
    operator = vault.project / "inventory" / "vault" / "operator.env"
    for file in (operator, operator.with_name("variables.env")):
        file.write_text(re.sub(r"@127.0.0.1:\d+/", "@127.0.0.1:9/", file.read_text()))


def test_a_server_that_can_not_be_asked_is_no_reason_to_keep_the_rest(vault: Vault, row: list[str]) -> None:
    silence(vault)

    said = vault.prune(code=4)

    assert "INCOMPLETE vault: 3 snapshots removed" in said
    assert "the database's server: not asked what is left there" in said
    assert there(vault) == {row[0], row[1]}


def test_side_tables_of_killed_rotations_are_dropped_except_the_way_back(vault: Vault) -> None:
    column = Column("public", "user_api_config", "encrypted_api_key")
    left, swapped = (SideTable(column, LONG_AGO.format(name)) for name in ("left", "swapped"))
    busy = SideTable(column, TODAY)
    with vault.access.connection() as connection:
        for side in (left, swapped, busy):
            side.create(connection)
        swapped.set_stage(connection, SideStage.SWAPPED)

        planned = vault.prune(plan=True)
        assert f"DROP TABLE {left}" in planned
        assert f"keep    {swapped}: run {swapped.run} goes back by it" in planned
        assert f"keep    {busy}: run {busy.run} is at work on it" in planned

        assert "1 side tables removed" in vault.prune()
        assert {side for side, _ in found(connection)} == {swapped, busy}
        for side in (swapped, busy):
            side.drop(connection)
