"""Files that are either the old or the new one, never a half."""

from __future__ import annotations

import os
from pathlib import Path


def write_atomically(path: Path, body: bytes, mode: int = 0o600) -> None:
    """Replace a file so that a reader, or the machine after a crash, sees the old or the new one.

    Raises:
        OSError: nothing was replaced, and no temporary file is left.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the folder's own entries (a new or renamed file) survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
