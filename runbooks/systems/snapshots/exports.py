"""Exports of databases in quarantine: a record of each in the store, and the rows as one archive where that was asked.

The record is written last, so an export that was killed is none.
"""

from __future__ import annotations

import shutil
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.snapshots import sealed
from runbooks.systems.snapshots.manifest import StoredFile, decode, encode
from runbooks.systems.snapshots.shelf import Shelf, unlike
from runbooks.systems.store.objects import digest_of

ROOT = "quarantine/"


@dataclass(frozen=True, kw_only=True)
class Export:
    """What was exported, when, and to where.

    Attributes:
        database: The database in quarantine.
        id: When, so that one comes after another.
        against: What it was compared with.
        rows: How many rows its files hold.
        folder: Where they were written to, on the machine of whoever exported.
        archive: The same files as one object of the store; None: they are in the folder only.
        encrypted: The public keys that the archive was encrypted to; none: it is in clear.
    """

    schema: int = 1
    database: str
    id: str
    at: datetime
    by: str
    against: str
    tables: int
    rows: int
    folder: str
    archive: StoredFile | None = None
    encrypted: tuple[str, ...] = ()

    def __str__(self) -> str:
        place = f"the store ({self.archive.name})" if self.archive else f"{self.folder}, of {self.by}"
        return (
            f"{self.rows} rows of {self.tables} tables, against {self.against}, on {self.at:%Y-%m-%d %H:%M}Z to {place}"
        )


def archive(shelf: Shelf, folder: Path, name: str, to: Sequence[Any]) -> StoredFile:
    """Put a folder into the store as one archive, encrypted to these, and check that it is there.

    Raises:
        SystemFault: the store can't be asked, or has no space; or this machine has none for the archive.
    """
    name = f"{ROOT}{name}.tar{'.age' if to else ''}"
    try:
        with tempfile.TemporaryFile(dir=folder.parent) as file:
            with tarfile.open(fileobj=file, mode="w") as tar:
                tar.add(folder, arcname=".")
            size = file.tell()
            file.seek(0)
            with sealed.sealed(file, to) as source:
                digest = shelf.objects.upload(name, source, expected=size + (1 << 16))
    except OSError as error:
        raise SystemFault(
            "the export can't be packed", reason=Reason.FAILED, where=str(folder.parent), found=error.strerror or ""
        ) from error
    return StoredFile(name=name, size=digest.size, sha256=digest.sha256)


def unpack(shelf: Shelf, export: Export, folder: Path, by: Any) -> None:
    """Write an archive's files to a folder.

    Raises:
        SystemFault: it is not what was put there, or was not encrypted to this identity.
    """
    assert export.archive, "there is one"
    if problem := unlike(export.archive, digest_of(shelf.objects.download(export.archive.name))):
        raise SystemFault(
            "an export is damaged",
            reason=Reason.BAD_ANSWER,
            where=f"{export.archive.name} in {shelf}",
            found=problem,
            mend="export it again while the database is in quarantine",
        )
    with sealed.opened(shelf.objects.download(export.archive.name), by) as stream:
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            for member in tar:
                source = tar.extractfile(member) if member.isfile() else None
                if source:  # by the last part of its name: whoever can write to the store decides on no other place
                    with source, (folder / Path(member.name).name).open("xb") as target:
                        shutil.copyfileobj(source, target)
        while stream.read(1 << 16):  # to the end, or whoever decrypts waits for a reader
            pass


def record(shelf: Shelf, export: Export) -> None:
    """Keep that it was exported.

    Raises:
        SystemFault: the store can't be asked, or another export has its place.
    """
    name = f"{ROOT}{export.database}/{export.id}.json"
    if shelf.store.put(name, encode(export), replaces=None) is None:
        raise SystemFault(
            "another export was made at the same moment", reason=Reason.FAILED, where=f"{name} in {shelf}"
        )


def of_database(shelf: Shelf, database: str) -> list[Export]:
    """Those of one database, oldest first. Raises InputError: a record is damaged."""
    found = []
    for name in sorted(shelf.store.names(f"{ROOT}{database}/")):
        stored = shelf.store.get(name) if name.endswith(".json") else None
        if stored:
            found.append(decode(stored.body, Export, f"{name} in {shelf}"))
    return found
