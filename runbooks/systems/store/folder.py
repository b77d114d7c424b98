"""A store in a local folder: for one operator, or for tests. Other machines do not see it."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
from collections.abc import Iterator
from pathlib import Path

from runbooks.engine.atomic import write_atomically
from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.store import Stored


class FolderStore:
    """Objects are files; a conditional put holds a lock file while it compares and replaces."""

    shared = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __str__(self) -> str:
        return f"folder {self.folder}"

    def get(self, name: str) -> Stored | None:
        with self._faults(name):
            try:
                body = (self.folder / name).read_bytes()
            except FileNotFoundError:
                return None
        return Stored(body, _version(body))

    def put(self, name: str, body: bytes, *, replaces: str | None) -> str | None:
        with self._faults(name), self._locked():
            current = self.get(name)
            if (current.version if current else None) != replaces:
                return None
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, body)
        return _version(body)

    def names(self, prefix: str) -> Iterator[str]:
        with self._faults(prefix):
            paths = [path for path in self.folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
        names = (path.relative_to(self.folder).as_posix() for path in paths)
        yield from sorted(name for name in names if name.startswith(prefix))

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / ".lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    @contextlib.contextmanager
    def _faults(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SystemFault(
                "the store can't be used",
                reason=Reason.UNREACHABLE,
                where=str(self.folder / name),
                found=error.strerror or str(error),
                mend="check the folder's owner, mode and free space",
            ) from error


def _version(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
