"""What a database in quarantine has that the live one lacks: counted, exported, and kept until nothing needs it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyrage
import pytest

from runbooks import project, quarantine
from runbooks.engine.errors import InputError, SystemFault
from runbooks.options import Options
from runbooks.sandbox.world import Sandbox
from runbooks.systems.postgres.databases import Mark
from runbooks.systems.postgres.exchange import QUARANTINED, Exchange, swap
from runbooks.systems.releases.ledger import Releases
from runbooks.systems.releases.record import Entry, Kind, Release
from tests.plain_vaults import PlainVault, plain_vault

SINCE = """
INSERT INTO note (body) VALUES ('new, with a comma'), ('and "quotes"');
UPDATE note SET body = 'another' WHERE id = 7;
DELETE FROM note WHERE id IN (8, 9);
INSERT INTO mine VALUES (1), (1), (2);
CREATE TABLE later AS SELECT 1 AS a;
ALTER TABLE plain ADD COLUMN more text DEFAULT 'x';
"""
"""What is written after the copy was taken. `mine` has no key and holds a row 1 already."""


@pytest.fixture
def vault(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PlainVault]:
    """A database whose earlier copy has taken its place."""
    monkeypatch.setenv(project.VARIABLE, str(tmp_path))
    with plain_vault(sandbox, tmp_path) as made:
        made.execute("CREATE TABLE plain AS SELECT 1 AS a; CREATE TABLE same AS SELECT 1 AS a")
        made.execute(f"CREATE DATABASE {made.database}__restore TEMPLATE {made.database}", "postgres")
        made.execute(SINCE)
        replace(made, datetime.now(UTC))
        yield made


def replace(vault: PlainVault, at: datetime) -> None:
    mark = Mark("20261128T000000.000Z-rollback-abcd", QUARANTINED, "s", vault.database, by="somebody", token=1)
    aside = f"{vault.database}__quarantine"
    exchange = Exchange(live=vault.database, replacement=f"{vault.database}__restore", aside=aside, mark=mark)
    swap(vault.access, exchange)


def diff(vault: PlainVault, capsys: pytest.CaptureFixture[str]) -> dict[str, tuple[int, int, int]]:
    quarantine.show_difference("newest", vault.name, "json")
    found = json.loads(capsys.readouterr().out)
    return {each["name"]: (each["added"], each["changed"], each["gone"]) for each in found["tables"]}


def test_rows_are_told_apart_by_key_and_else_as_wholes(vault: PlainVault, capsys: pytest.CaptureFixture[str]) -> None:
    assert diff(vault, capsys) == {
        '"public"."later"': (1, 0, 0),
        '"public"."mine"': (3, 0, 0),
        '"public"."note"': (2, 1, 2),
        '"public"."plain"': (1, 0, 0),
    }
    quarantine.show_list(vault.name)
    said = capsys.readouterr().out
    assert "1 database of vault in quarantine" in said
    assert "left open" not in said


def test_what_the_live_database_got_since_is_seen_too(vault: PlainVault, capsys: pytest.CaptureFixture[str]) -> None:
    vault.execute("INSERT INTO note (id, body) VALUES (1000, 'new'); UPDATE note SET body = 'x' WHERE id = 1")

    assert diff(vault, capsys)['"public"."note"'] == (2, 2, 3)


def test_an_export_holds_every_row_that_the_live_database_lacks(
    vault: PlainVault, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out"

    quarantine.export("newest", str(folder), vault.name)

    assert f"in {folder}" in capsys.readouterr().out
    assert folder.stat().st_mode & 0o777 == 0o700
    index = json.loads((folder / "index.json").read_text())
    files = {each["name"]: each["files"] for each in index["tables"]}

    def rows(table: str, kind: str) -> list[dict[str, str]]:
        with (folder / files[f'"public"."{table}"'][kind]).open(newline="") as stream:
            return list(csv.DictReader(stream))

    assert sorted(row["body"] for row in rows("note", "added")) == ['and "quotes"', "new, with a comma"]
    assert [(row["id"], row["body"]) for row in rows("note", "changed")] == [("7", "another")]
    assert [(row["id"], row["body"]) for row in rows("note", "changed-live")] == [("7", "note 7")]
    assert sorted(row["id"] for row in rows("note", "gone")) == ["8", "9"]
    assert sorted(row["id"] for row in rows("mine", "added")) == ["1", "1", "2"]
    assert rows("plain", "whole") == [{"a": "1", "more": "x"}]
    assert rows("later", "whole") == [{"a": "1"}]
    assert '| "public"."note" | 2 | 1 | 2 |' in (folder / "index.md").read_text()
    with pytest.raises(InputError, match="the folder is not empty"):
        quarantine.export("newest", str(folder), vault.name)


def test_more_rows_than_are_written_at_once_are_all_exported(vault: PlainVault, tmp_path: Path) -> None:
    vault.execute("DELETE FROM note; INSERT INTO note (id, body) SELECT n + 10000, 'y' FROM generate_series(1, 2500) n")

    quarantine.export("newest", str(tmp_path / "out"), vault.name)

    (gone,) = (tmp_path / "out").glob("*note-gone.csv")
    assert len(gone.read_text().splitlines()) == 2501


@pytest.fixture
def switched(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PlainVault]:
    """A database whose snapshot has taken its place, as ``backup.restore --switch`` does it; both went on since."""
    monkeypatch.setenv(project.VARIABLE, str(tmp_path))
    with plain_vault(sandbox, tmp_path) as made:
        made.execute("CREATE TABLE quiet AS SELECT 1 AS a; CREATE TABLE late AS SELECT 1 AS a")
        made.create()
        made.execute("INSERT INTO note (body) VALUES ('before the switch'); INSERT INTO mine VALUES (3)")
        made.switch()
        made.execute("INSERT INTO note (id, body) VALUES (900, 'since'); INSERT INTO late VALUES (2)")
        yield made


def remarks(printed: str) -> dict[str, str]:
    lines = [line for line in printed.splitlines() if line.startswith('  "public"')]
    return {line.split('"')[3]: line.partition("  (")[2].rstrip(")") for line in lines}


def test_what_was_written_since_the_switch_is_told_apart_from_what_only_the_quarantine_has(
    switched: PlainVault, capsys: pytest.CaptureFixture[str]
) -> None:
    quarantine.show_difference("newest", switched.name, "console")

    said = capsys.readouterr().out
    found = remarks(said)
    assert found.keys() == {"note", "mine", "late"}
    assert found["note"] == "written to before the switch and since"
    assert found["mine"].startswith("all of it from before the switch; no primary key")
    assert found["late"].startswith("all of it written to the live database since the switch: nothing is only here")
    assert "--against snapshot leaves out what came since" in said


def test_against_the_restored_snapshot_nothing_counts_that_came_since(
    switched: PlainVault, capsys: pytest.CaptureFixture[str]
) -> None:
    (aside,) = switched.siblings()
    with pytest.raises(InputError, match="is not restored beside the live database") as refused:
        quarantine.show_difference(aside, switched.name, "json", "snapshot")
    assert "invoke backup.restore --snapshot 2" in refused.value.mend
    with pytest.raises(InputError, match="nothing to compare with is called 'yesterday'"):
        quarantine.show_difference(aside, switched.name, "json", "yesterday")

    switched.on("backup.restore")
    capsys.readouterr()
    quarantine.show_difference(aside, switched.name, "json", "snapshot")

    found = json.loads(capsys.readouterr().out)
    counts = {each["name"]: (each["added"], each["changed"], each["gone"]) for each in found["tables"]}
    assert counts == {'"public"."mine"': (1, 0, 0), '"public"."note"': (1, 0, 0)}
    assert found["against"].startswith("snapshot 2")


def test_where_the_snapshot_is_gone_it_is_said_that_times_can_not_be_told(
    switched: PlainVault, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf = switched.snapshots().shelf
    shelf.remove(shelf.ids()[-1])

    quarantine.show_difference("newest", switched.name, "console")

    said = capsys.readouterr().out
    assert "can't be told: snapshot 2" in said
    assert remarks(said)["note"] == ""


@pytest.mark.parametrize("encrypted", [True, False])
def test_an_export_in_the_store_outlives_the_database_and_the_machine(
    encrypted: bool, switched: PlainVault, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (aside,) = switched.siblings()
    identity = pyrage.x25519.Identity.generate()
    if encrypted:
        switched.backup = f'recipients = ["{identity.to_public()}"]\nidentity = {{ secret = "AGE_IDENTITY" }}'
        switched.secrets["AGE_IDENTITY"] = str(identity)
        switched.write()
    with pytest.raises(InputError, match="was not confirmed"):
        drop(switched, typed="no")
    shown = f"nothing of it was ever exported: invoke quarantine.export --database {aside} --store"
    assert shown in capsys.readouterr().out

    quarantine.export(aside, str(tmp_path / "here"), switched.name, store=True)

    written = {path.name: path.read_bytes() for path in (tmp_path / "here").iterdir()}
    said = capsys.readouterr().out
    assert ("encrypted to 1 keys" in said, "in clear" in said) == (encrypted, not encrypted)
    (packed,) = (tmp_path / "store" / "quarantine" / aside).glob("*.tar*")
    assert (packed.suffix == ".age", b"before the switch" in packed.read_bytes()) == (encrypted, not encrypted)
    assert drop(switched, typed=aside) == 0
    quarantine.fetch(aside, str(tmp_path / "there"), switched.name)
    assert {path.name: path.read_bytes() for path in (tmp_path / "there").iterdir()} == written
    assert (tmp_path / "there").stat().st_mode & 0o777 == 0o700
    with pytest.raises(InputError, match="the folder is not empty"):
        quarantine.fetch(aside, str(tmp_path / "there"), switched.name)

    packed.write_bytes(packed.read_bytes()[:-1] + b"x")
    with pytest.raises(SystemFault, match="an export is damaged"):
        quarantine.fetch(aside, str(tmp_path / "elsewhere"), switched.name)


def test_an_export_to_a_folder_is_remembered_but_not_fetched(
    vault: PlainVault, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (aside,) = vault.siblings()
    quarantine.show_list(vault.name)
    before = capsys.readouterr().out

    quarantine.export(aside, str(tmp_path / "here"), vault.name)

    with pytest.raises(InputError, match="nothing of this database was exported to the store"):
        quarantine.fetch(aside, str(tmp_path / "there"), vault.name)
    with pytest.raises(InputError, match="was not confirmed"):
        drop(vault, typed="no")
    quarantine.show_list(vault.name)
    after = capsys.readouterr().out
    assert ("never exported" in before, "never exported" in after) == (True, False)
    assert f"exported: 10 rows of 4 tables, against {vault.database} as it is now" in after


def drop(vault: PlainVault, *, young: bool = True, typed: str | None = None) -> int:
    (name,) = vault.siblings()
    return quarantine.drop(name, typed=typed, young=young, options=Options(environment=vault.name))


def test_it_is_dropped_once_its_name_is_typed_and_the_journal_keeps_what_it_was(vault: PlainVault) -> None:
    (name,) = vault.siblings()
    with pytest.raises(InputError, match="was not confirmed"):
        drop(vault, typed="vault")
    with pytest.raises(InputError, match="put aside 0 days ago; 30 is the least") as refused:
        drop(vault, young=False, typed=name)
    assert vault.siblings() == [name], refused

    assert drop(vault, typed=name) == 0

    assert vault.siblings() == []
    (journal,) = (vault.project / "var" / "runs" / "vault").glob("*quarantine.drop*/journal.jsonl")
    assert '"by":"somebody"' in journal.read_text().replace(" ", "")


def test_what_a_rollback_can_still_be_undone_with_is_kept(vault: PlainVault) -> None:
    (name,) = vault.siblings()
    release = Release(id="r1", version="1", commit="c" * 40)
    run = "20261128T000000.000Z-rollback-abcd"
    Releases(vault.snapshots().shelf.store).append(
        Entry(
            kind=Kind.ROLLED_BACK, at=datetime.now(UTC), by="x", run=run, token=1, id="r1", release=release, data=True
        )
    )

    with pytest.raises(InputError, match=f"invoke rollback --undo {run} would bring it back"):
        drop(vault, typed=name)

    assert vault.siblings() == [name]


def test_who_names_what_is_not_in_quarantine_is_told_what_is(vault: PlainVault) -> None:
    (name,) = vault.siblings()
    with pytest.raises(InputError) as refused:
        quarantine.drop(vault.database + "x", typed=None, young=True, options=Options(environment=vault.name))

    assert name in str(refused.value)
