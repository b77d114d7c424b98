"""A snapshot exists by its manifest alone: a half-removed one is never taken for whole."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.snapshots.manifest import Manifest
from runbooks.systems.snapshots.shelf import Shelf, place
from runbooks.systems.store.folder import FolderStore
from runbooks.systems.store.folder_objects import FolderObjects


def manifest_of(id: str, taken: datetime) -> Manifest:
    """Of an empty database."""
    return Manifest(
        id=id,
        run="a-run",
        environment="shop",
        database="shop",
        system=None,
        taken=taken,
        lsn="0/0",
        server=180000,
        programs=18,
        archive="folder",
        bytes=0,
        tables=0,
        rows=0,
        heads=(),
        release=None,
        encrypted=(),
        algorithm="none",
        tool="0.1.0",
        files=(),
    )


class Refusing(FolderObjects):
    """Removes no more than one object."""

    def remove(self, prefix: str) -> int:
        if prefix.endswith("/"):
            raise SystemFault("the store is down", reason=Reason.UNREACHABLE)
        return super().remove(prefix)


def test_the_manifest_is_removed_before_anything_else(tmp_path: Path) -> None:
    shelf = Shelf(FolderStore(tmp_path), Refusing(tmp_path))
    for name in ("contents.json", "data/toc.dat", "manifest.json"):
        shelf.store.put(place("a", name), b"{}", replaces=None)

    with pytest.raises(SystemFault):
        shelf.remove("a")

    assert shelf.ids() == []
    assert shelf.unfinished() == ["a"]


def test_what_is_whole_is_not_cleared(tmp_path: Path) -> None:
    shelf = Shelf(FolderStore(tmp_path), FolderObjects(tmp_path))
    shelf.store.put(place("a", "manifest.json"), b"{}", replaces=None)

    with pytest.raises(SystemFault, match="whole snapshot"):
        shelf.clear("a")

    assert shelf.ids() == ["a"]


def test_of_two_that_were_begun_in_one_second_the_newest_is_the_one_that_shows_the_later_moment(tmp_path: Path) -> None:
    shelf = Shelf(FolderStore(tmp_path), FolderObjects(tmp_path))
    moment = datetime(2026, 1, 1, 12, tzinfo=UTC)
    for end, seconds in (("zzzz", 0.1), ("mmmm", 0.7), ("aaaa", 0.4)):
        shelf.publish(manifest_of(f"20260101T120000Z-{end}", taken=moment + timedelta(seconds=seconds)))

    assert shelf.find("newest").id == "20260101T120000Z-mmmm"
