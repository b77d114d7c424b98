"""Large objects as files of a folder."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from runbooks.engine.atomic import sync_folder
from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.store.objects import PIECE, Counting, Digest

_HALF = re.compile(r"\.(?P<name>.+)\.(?:unfinished|\d+\.new)")
"""A file that was to become an object: of `FolderObjects.upload`, or of `write_atomically` below `FolderStore.put`."""


class FolderObjects:
    """Beside the small objects of `FolderStore`, in the same folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __str__(self) -> str:
        return f"folder {self.folder}"

    def upload(self, name: str, source: BinaryIO, *, expected: int) -> Digest:
        path = self.folder / name
        counting = Counting(source)
        with self._faults(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._refuse_without_room(path, expected)
            unfinished = path.with_name(f".{path.name}.unfinished")
            try:
                with unfinished.open("wb") as file:
                    os.fchmod(file.fileno(), 0o600)
                    shutil.copyfileobj(counting, file, PIECE)
                    file.flush()
                    os.fsync(file.fileno())
                unfinished.replace(path)
            finally:
                unfinished.unlink(missing_ok=True)
            sync_folder(path.parent)
        return counting.digest

    def download(self, name: str) -> Iterator[bytes]:
        path = self.folder / name
        with self._faults(path), path.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece

    def size(self, name: str) -> int | None:
        path = self.folder / name
        with self._faults(path):
            return path.stat().st_size if path.is_file() else None

    def remove(self, prefix: str) -> int:
        parent = (self.folder / prefix) if prefix.endswith("/") else (self.folder / prefix).parent
        count = 0
        with self._faults(parent):
            for path in sorted(parent.rglob("*"), reverse=True) if parent.is_dir() else []:
                if not path.relative_to(self.folder).as_posix().startswith(prefix):
                    continue
                if path.is_dir():
                    with contextlib.suppress(OSError):  # not empty: somebody else's
                        path.rmdir()
                else:
                    path.unlink(missing_ok=True)
                    count += not path.name.startswith(".")
            if prefix.endswith("/"):
                with contextlib.suppress(OSError):
                    parent.rmdir()
        return count

    def unfinished(self, prefix: str) -> list[str]:
        return [self._meant(path) for path in self._halves(prefix)]

    def abandon(self, prefix: str) -> int:
        found = self._halves(prefix)
        for path in found:
            with self._faults(path):
                path.unlink(missing_ok=True)
        return len(found)

    def _halves(self, prefix: str) -> list[Path]:
        with self._faults(self.folder):
            paths = [path for path in self.folder.rglob(".*") if _HALF.fullmatch(path.name) and path.is_file()]
        return sorted(path for path in paths if self._meant(path).startswith(prefix))

    def _meant(self, path: Path) -> str:
        """The name of the object that an unfinished file was to become."""
        named = _HALF.fullmatch(path.name)
        assert named
        return path.with_name(named["name"]).relative_to(self.folder).as_posix()

    def _refuse_without_room(self, path: Path, expected: int) -> None:
        free = shutil.disk_usage(path.parent).free
        if expected > free:
            raise SystemFault(
                "the store has no room",
                reason=Reason.FAILED,
                where=str(path),
                found=f"{free >> 20} MiB free, {expected >> 20} MiB to write",
                mend="make room there, or declare a bucket as store",
            )

    @contextlib.contextmanager
    def _faults(self, path: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SystemFault(
                "an object is missing in the store"
                if isinstance(error, FileNotFoundError)
                else "the store can't be used",
                reason=Reason.FAILED if isinstance(error, FileNotFoundError) else Reason.UNREACHABLE,
                where=str(path),
                found=error.strerror or str(error),
                mend="check the folder's owner, mode and free space",
            ) from error
