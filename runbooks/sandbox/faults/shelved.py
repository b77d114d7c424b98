"""Faults of the store: what lies there is damaged, taken away, or moved in time. No drill is made up.

The store as it was is kept beside it, and comes back with the mending.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from runbooks.options import Options
from runbooks.sandbox.faults.fault import Change, Means
from runbooks.sandbox.faults.means import LOCAL
from runbooks.sandbox.world import Sandbox
from runbooks.systems.snapshots import drills
from runbooks.systems.snapshots.drills import Drill
from runbooks.systems.snapshots.manifest import Manifest, encode
from runbooks.systems.snapshots.shelf import Shelf, place
from runbooks.systems.store.folder import FolderStore
from runbooks.systems.store.folder_objects import FolderObjects

PARTS = ("snapshots", "drills", "inspections")
"""What of the store is kept: leases and the anchors of runs go on."""


def store(change: Change) -> Means:
    """Change what lies in the store; the way back is a copy that is made first."""

    def inject(sandbox: Sandbox) -> None:
        folder, kept = _folders(sandbox)
        if not kept.exists():  # there is one if it was injected before
            half = kept.with_suffix(".half")
            shutil.rmtree(half, ignore_errors=True)
            half.mkdir(parents=True)
            for part in PARTS:
                if (folder / part).exists():
                    shutil.copytree(folder / part, half / part)
            half.rename(kept)
        change(sandbox)

    def mend(sandbox: Sandbox) -> None:
        folder, kept = _folders(sandbox)
        if not kept.exists():
            return
        for part in PARTS:
            shutil.rmtree(folder / part, ignore_errors=True)
            if (kept / part).exists():
                shutil.copytree(kept / part, folder / part)
        shutil.rmtree(kept)

    return Means(inject, mend, restarts=False)


def without(part: str) -> Change:
    """Nothing of that sort is there."""

    def change(sandbox: Sandbox) -> None:
        shutil.rmtree(_folders(sandbox)[0] / part)

    return change


def manifests(move: Callable[[Manifest], Manifest]) -> Change:
    """Every snapshot's manifest is another one."""

    def change(sandbox: Sandbox) -> None:
        shelf = shelf_of(sandbox)
        for id in shelf.ids():
            manifest = shelf.manifest(id)
            assert manifest
            (_folders(sandbox)[0] / place(id, "manifest.json")).write_bytes(encode(move(manifest)))

    return change


def taken_earlier(by: timedelta) -> Change:
    """The snapshots were taken that much earlier."""
    return manifests(lambda manifest: replace(manifest, taken=manifest.taken - by))


def drilled(move: Callable[[Drill], Drill]) -> Change:
    """What drills came to is otherwise."""

    def change(sandbox: Sandbox) -> None:
        for drill in drills.readable(shelf_of(sandbox).store)[0]:
            (_folders(sandbox)[0] / f"{drills.ROOT}{drill.run}.json").write_bytes(encode(move(drill)))

    return change


def damaged(damage: Callable[[Path], object], name: str = "data/toc.dat") -> Change:
    """Something happens to an object of the newest snapshot."""

    def change(sandbox: Sandbox) -> None:
        shelf = shelf_of(sandbox)
        damage(_folders(sandbox)[0] / place(shelf.ids()[-1], name))

    return change


def flip(path: Path) -> None:
    """One bit of the file is another."""
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(body)


def truncate(path: Path) -> None:
    """The file's last tenth is lost."""
    body = path.read_bytes()
    path.write_bytes(body[: len(body) * 9 // 10])


def spoil_drills(sandbox: Sandbox) -> None:
    """The record of the newest drill is no JSON any more."""
    newest = max((_folders(sandbox)[0] / drills.ROOT).iterdir())
    newest.write_text("{", encoding="utf-8")


def drill_a_damaged_snapshot(sandbox: Sandbox) -> None:
    """Damage a snapshot, drill it, and put it right again: the drill has really failed."""
    from runbooks import snapshots

    folder, kept = _folders(sandbox)
    damaged(flip)(sandbox)
    snapshots.start("backup.drill", "newest", Options(environment=LOCAL, stream=io.StringIO(), reason="a fault"))
    shutil.rmtree(folder / "snapshots")
    shutil.copytree(kept / "snapshots", folder / "snapshots")


def shelf_of(sandbox: Sandbox) -> Shelf:
    """The snapshots of the sandbox's environment."""
    folder = _folders(sandbox)[0]
    return Shelf(FolderStore(folder), FolderObjects(folder))


def _folders(sandbox: Sandbox) -> tuple[Path, Path]:
    folder = sandbox.project / "var" / "store" / LOCAL
    return folder, folder.with_name(f"{LOCAL}.kept")
