"""What the steps of a snapshot share, and what they have in common with those that read it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from runbooks.environment.snapshots import Snapshots
from runbooks.systems.postgres.programs import Programs
from runbooks.systems.snapshots import sealed
from runbooks.systems.snapshots.manifest import CONTENTS, Contents, Manifest, decode
from runbooks.systems.snapshots.shelf import Shelf, new_id, place

DATA = "data"
"""The folder of an archive's files, here and in the store."""

STREAMED = f"{DATA}/archive"
DRAFT, UPLOADED = "draft.json", "uploaded.json"
"""The manifest as it grows: dumped, and in the store. Each says that the stage before is whole."""


@dataclass
class Making:
    """What the steps of a snapshot share."""

    snapshots: Snapshots
    run: str
    release: str | None
    streamed: bool | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return new_id(self.run)

    @property
    def shelf(self) -> Shelf:
        return self.snapshots.shelf

    @property
    def folder(self) -> Path:
        return self.snapshots.work(self.run)

    @cached_property
    def programs(self) -> Programs:
        """pg_dump for the server as it is now."""
        return self.snapshots.programs(self.snapshots.access.server_version() // 10000)

    def draft(self, name: str) -> Manifest | None:
        """The manifest as far as it came; None: that stage is not whole."""
        try:
            body = (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None
        return decode(body, Manifest, str(self.folder / name))

    def published(self) -> bool:
        return self.shelf.manifest(self.id) is not None


def fresh_folder(folder: Path) -> None:
    """Have an empty folder that only we can enter."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700)


def room(folder: Path) -> int:
    """Bytes that may be written where the folder is or will be."""
    while not folder.exists():
        folder = folder.parent
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def size(count: int) -> str:
    """Bytes for people."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000  # type: ignore[assignment]
    return f"{count:.1f} TB"


def contents_of(snapshots: Snapshots, manifest: Manifest) -> Contents:
    """What a snapshot holds, out of the store."""
    file = next(file for file in manifest.files if file.name == CONTENTS)
    with sealed.opened(snapshots.shelf.read(manifest, file), snapshots.reader_of(manifest)) as stream:
        body = stream.read()
    return decode(body, Contents, place(manifest.id, CONTENTS))
