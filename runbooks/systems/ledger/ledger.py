"""An append-only ledger of JSON lines: one file for each day and release, each line on disk before it counts.

A line is ``{"at", "kind", "release", "data"}``. A process that is killed while it writes leaves a torn last line; the
next writer ends it, readers leave it out and name it. Several processes may append at the same time.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runbooks.engine.atomic import sync_folder
from runbooks.engine.errors import Reason, SystemFault

SAMPLE, REHEARSAL, DEPLOYED = "sample", "rehearsal", "deployed"
"""What was seen at one moment; a load that was put on the application; a release was put to work."""

BEGAN, ENDED = "began", "ended"
"""A watch began; it came to its end."""

NO_RELEASE = "unknown"
_NAME = re.compile(r"(?P<day>\d{8})-(?P<release>[^/]{1,12})\.jsonl")


@dataclass(frozen=True)
class Entry:
    """One line. ``release`` is the git commit that ran, or nothing where that is not known."""

    at: datetime
    kind: str
    release: str
    data: Mapping[str, Any]

    def line(self) -> bytes:
        """The entry as it stands in its file, with its newline."""
        at = self.at.astimezone(UTC).isoformat(timespec="milliseconds")
        fields = {"at": at, "kind": self.kind, "release": self.release, "data": self.data}
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


@dataclass(frozen=True)
class Reading:
    """Entries in the order of their times; ``damage`` names each line that could not be read and was left out."""

    entries: tuple[Entry, ...]
    damage: tuple[str, ...] = ()

    def of(self, kind: str, release: str | None = None) -> tuple[Entry, ...]:
        """The entries of one kind, of one release if it is given."""
        return tuple(
            entry for entry in self.entries if entry.kind == kind and (release is None or entry.release == release)
        )


class Ledger:
    """The ledger in a folder, which is made with the first entry.

    Every method raises SystemFault if the folder can't be used.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __str__(self) -> str:
        return str(self.folder)

    def append(self, kind: str, release: str, data: Mapping[str, Any]) -> Entry:
        """Write one entry; it is on disk when this returns."""
        entry = Entry(datetime.now(UTC), kind, release, data)
        path = self.path_of(entry)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            is_new = not path.exists()
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)  # released by closing, and by a kill
                _write(descriptor, entry.line())
            finally:
                os.close(descriptor)
            if is_new:
                sync_folder(self.folder)
        except OSError as error:
            raise self._fault(error, path) from error
        return entry

    def path_of(self, entry: Entry) -> Path:
        """The file that an entry stands in."""
        return self.folder / f"{entry.at.astimezone(UTC):%Y%m%d}-{_short(entry.release)}.jsonl"

    def read(self, since: datetime | None = None) -> Reading:
        """The entries since then, or all of them."""
        first = since.astimezone(UTC).strftime("%Y%m%d") if since else ""
        entries: list[Entry] = []
        damage: list[str] = []
        for path in self._files():
            if path.name[:8] >= first:
                found, problems = self._lines(path)
                entries += [entry for entry in found if since is None or entry.at >= since]
                damage += problems
        return Reading(tuple(sorted(entries, key=lambda entry: entry.at)), tuple(damage))

    def before(self, release: str) -> tuple[Entry, ...]:
        """The samples of the release that was sampled last before this one, of its newest day; oldest first."""
        found: list[Entry] = []
        for entry in self.newest(SAMPLE):
            if entry.release == release:
                continue
            if found and (entry.release, entry.at.date()) != (found[0].release, found[0].at.date()):
                break
            found.append(entry)
        return tuple(reversed(found))

    def newest(self, kind: str) -> Iterator[Entry]:
        """The entries of one kind, newest first; files are read as they are needed."""
        for day in sorted({path.name[:8] for path in self._files()}, reverse=True):
            found = [
                entry
                for path in self._files()
                if path.name.startswith(day)
                for entry in self._lines(path)[0]
                if entry.kind == kind
            ]
            yield from sorted(found, key=lambda entry: entry.at, reverse=True)

    def _files(self) -> list[Path]:
        try:
            return sorted(path for path in self.folder.iterdir() if _NAME.fullmatch(path.name))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._fault(error, self.folder) from error

    def _lines(self, path: Path) -> tuple[list[Entry], list[str]]:
        try:
            lines = path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return [], []
        except OSError as error:
            raise self._fault(error, path) from error
        entries, damage = [], []
        for number, line in enumerate(lines, start=1):
            if not line:
                continue
            entry = _parse(line)
            if entry is None:
                torn = " (torn: its writer was killed)" if number == len(lines) else ""
                damage.append(f"{path.name}:{number}{torn}")
            else:
                entries.append(entry)
        return entries, damage

    def _fault(self, error: OSError, path: Path) -> SystemFault:
        return SystemFault(
            "the watch's ledger can't be used",
            reason=Reason.UNREACHABLE,
            where=str(path),
            found=error.strerror or str(error),
            mend="check the folder's owner, mode and free space",
        )


def _short(release: str) -> str:
    return re.sub(r"[^\w.]", "_", release)[:12] or NO_RELEASE


def _write(descriptor: int, line: bytes) -> None:
    """Append the line whole; a torn one before it is ended first, so that only that one is lost."""
    end = os.lseek(descriptor, 0, os.SEEK_END)
    if end and os.pread(descriptor, 1, end - 1) != b"\n":
        line = b"\n" + line
    while line:
        line = line[os.write(descriptor, line) :]
    os.fsync(descriptor)


def _parse(line: bytes) -> Entry | None:
    try:
        fields = json.loads(line)
        at = datetime.fromisoformat(fields["at"])
        entry = Entry(at, fields["kind"], fields["release"], fields["data"])
    except (ValueError, KeyError, TypeError):
        return None
    whole = at.tzinfo and isinstance(entry.data, dict) and isinstance(entry.release, str)
    return entry if whole else None
