"""Adds an entry to a file of the environment's people; what stands there, comments too, stays."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from runbooks.engine.atomic import write_atomically
from runbooks.engine.errors import InputError
from runbooks.environment.toml_file import TomlFile

USUAL_MODE = 0o644


def append(file: TomlFile, table: str, entry: Mapping[str, str | date]) -> None:
    """Add ``[[table]]`` with these keys at the end of a file, which is made if it is not there.

    Raises:
        InputError: the folder is not there, or the file can't be written.
    """
    try:
        with _alone(file.path.parent):
            before = _text(file)
            write_atomically(file.path, extended(before, table, entry).encode(), _mode(file.path))
    except OSError as error:
        raise InputError(
            "nothing could be written down",
            where=file.shown,
            found=error.strerror or "",
            mend=f"see whether {file.path.parent} is there and yours; a sandbox makes its own: invoke sandbox.up",
        ) from error


def extended(text: str, table: str, entry: Mapping[str, str | date]) -> str:
    """The text with one more table in the array."""
    import tomlkit
    from tomlkit.items import AoT

    document = tomlkit.parse(text)
    row = tomlkit.table()
    for key, value in entry.items():
        row.add(key, value)
    held = document.get(table)
    if isinstance(held, AoT):
        held.append(row)
    else:
        rows = tomlkit.aot()
        rows.append(row)
        document[table] = rows
    return tomlkit.dumps(document)


def _text(file: TomlFile) -> str:
    try:
        return file.text()
    except FileNotFoundError:
        return ""


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else USUAL_MODE


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two commands at the same time must not lose each other's entry."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
