"""What users are to be told lies where it can be copied from, and nothing about it fails a rollback that is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbooks.engine.errors import SystemFault
from runbooks.environment.load import load
from runbooks.environment.model import Environment
from runbooks.steps import announcement
from tests.environment.inventories import SMALL, inventory_with

CHANNELS = '[[channel]]\nname = "status page"\npage = "https://status.example.org"\n'


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return load(inventory_with(tmp_path, production=SMALL), "production")


def keep(environment: Environment, path: Path) -> str:
    return announcement.keep(environment, "**It runs v1 again.**\nSorry.", path)


def test_it_says_where_to_post_it_and_lies_there_for_its_owner(environment: Environment, tmp_path: Path) -> None:
    path = tmp_path / "announcement.md"
    before = keep(environment, path)
    (environment.folder / "announcements.toml").write_text(CHANNELS)

    after = keep(environment, path)

    assert "your channels (none is declared in inventory/production/announcements.toml)" in before
    assert after == f"to be posted in status page: **It runs v1 again.** Sorry.; to be copied from {path}"
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("**It runs v1 again.**\nSorry.\n", 0o600)


def test_a_damaged_file_or_a_full_disk_takes_nothing_back(environment: Environment, tmp_path: Path) -> None:
    (environment.folder / "announcements.toml").write_text("[[channel]")

    said = keep(environment, tmp_path / "not there" / "announcement.md")

    assert "announcements.toml, which can't be read" in said
    assert "can't be written (No such file or directory)" in said
    assert "It runs v1 again" in said


def test_a_text_with_a_mistake_is_named(environment: Environment) -> None:
    (environment.folder / "announcements").mkdir()
    (environment.folder / "announcements" / "rollback.md.j2").write_text("{{ nobody }}")

    with pytest.raises(SystemFault, match="can't be rendered") as fault:
        announcement.rollback(environment, release="v2", previous="v1", lost=None)

    assert "rollback.md.j2" in fault.value.found
