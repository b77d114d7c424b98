"""A snapshot exists by its manifest alone: a half-removed one is never taken for whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.snapshots.shelf import Shelf, place
from runbooks.systems.store.folder import FolderStore
from runbooks.systems.store.folder_objects import FolderObjects


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
