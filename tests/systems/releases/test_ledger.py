from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from runbooks.engine.errors import InputError, LeaseLost
from runbooks.systems.releases.ledger import Releases
from runbooks.systems.releases.record import Kind
from runbooks.systems.store.folder import FolderStore
from tests.conftest import CHECKOUT
from tests.systems.releases.ledgers import Writer

RACER = [sys.executable, "-m", "tests.systems.releases.racer"]


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    return Writer(FolderStore(tmp_path))


def test_entries_are_numbered_in_the_order_of_writing_and_read_back_as_written(writer: Writer) -> None:
    written = [writer.deployed(id) for id in ("v1", "v2", "v3")]

    assert [each.number for each in written] == [1, 2, 3]
    assert list(writer.releases.entries()) == written


def test_writing_again_what_the_run_has_written_adds_nothing(writer: Writer) -> None:
    once = writer.write(Kind.BEGAN, "v1", run="a")

    assert writer.write(Kind.BEGAN, "v1", run="a") == once
    assert len(writer.releases.entries()) == 1


def test_whoever_holds_an_older_lease_is_refused(writer: Writer) -> None:
    writer.token = 7
    writer.write(Kind.BEGAN, "v2", run="second")

    writer.token = 6
    with pytest.raises(LeaseLost, match="token 7, by run second; ours is 6"):
        writer.deployed("v1")
    assert len(writer.releases.entries()) == 1


def test_writers_at_the_same_time_lose_nothing_and_share_no_number(tmp_path: Path) -> None:
    racers = [subprocess.Popen([*RACER, str(tmp_path), name, "4"], cwd=CHECKOUT) for name in ("a", "b", "c")]
    assert [racer.wait(60) for racer in racers] == [0, 0, 0]

    entries = Releases(FolderStore(tmp_path)).entries()

    assert [each.number for each in entries] == list(range(1, 13))
    assert {each.run for each in entries} == {f"{name}-{count}" for name in "abc" for count in range(4)}


def test_a_missing_entry_is_named_rather_than_read_over(writer: Writer, tmp_path: Path) -> None:
    for id in ("v1", "v2", "v3"):
        writer.deployed(id)
    (tmp_path / "releases" / "00000002.json").unlink()

    with pytest.raises(InputError, match="gap") as error:
        writer.releases.entries()
    assert "entry 3 where 2 should be" in str(error.value)


def test_an_entry_in_the_place_of_another_is_refused(writer: Writer, tmp_path: Path) -> None:
    writer.deployed("v1")
    writer.deployed("v2")
    folder = tmp_path / "releases"
    (folder / "00000002.json").write_bytes((folder / "00000001.json").read_bytes())

    with pytest.raises(InputError, match="another's place"):
        writer.releases.entries()


def test_a_damaged_entry_is_refused(writer: Writer, tmp_path: Path) -> None:
    writer.deployed("v1")
    (tmp_path / "releases" / "00000001.json").write_text("{")

    with pytest.raises(InputError, match="this is no entry"):
        writer.releases.entries()
