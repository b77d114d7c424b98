"""The append-only, hash-chained record of one run, from which a machine resumes and an auditor reads.

Each line is a JSON object ``{"seq", "at", "kind", "data", "prev", "hash"}``. ``hash`` is the SHA-256 of the line
without it, and ``prev`` is the hash of the line before, so an edit, a removed line and a swapped line break the chain.
A line is on disk (fsync) before `Journal.append` returns.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from runbooks.engine.atomic import sync_folder
from runbooks.engine.errors import InputError, RunbookError
from runbooks.engine.redact import Redactor

FILE_NAME = "journal.jsonl"
ORIGIN = "0" * 64
"""The ``prev`` of a journal's first line."""

Data = Mapping[str, Any]
"""What a record says: JSON-like, already free of secrets when it is on disk."""


class JournalUnwritable(RunbookError):  # noqa: N818 - named as in `errors`
    """What happens can no longer be written down, so nothing further may happen."""

    exit_code = 7


@dataclass(frozen=True)
class Record:
    """One line of a journal."""

    seq: int
    at: datetime
    kind: str
    data: Data
    prev: str
    hash: str

    def line(self) -> bytes:
        """The record as it stands in the file, with its newline."""
        return json.dumps({**self._body(), "hash": self.hash}, ensure_ascii=False).encode() + b"\n"

    def expected_hash(self) -> str:
        """The hash that belongs to this content."""
        canonical = json.dumps(self._body(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    def _body(self) -> dict[str, Any]:
        at = self.at.isoformat(timespec="milliseconds")
        return {"seq": self.seq, "at": at, "kind": self.kind, "data": self.data, "prev": self.prev}


@dataclass(frozen=True)
class Chain:
    """The records of a journal as far as they hold together, and what is wrong after that."""

    records: tuple[Record, ...]
    break_line: int | None = None
    problem: str = ""
    torn_bytes: int = 0
    """Length of an unfinished last line: what a kill in the middle of a write leaves; no damage."""

    @property
    def last_hash(self) -> str:
        return self.records[-1].hash if self.records else ORIGIN


def read_chain(path: Path) -> Chain:
    """Read a journal and check each line against the one before.

    Raises:
        InputError: there is no such file, or it can't be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError("the journal can't be read", where=str(path), found=error.strerror or "") from error
    lines = content.split(b"\n")
    torn = lines.pop()
    records: list[Record] = []
    for number, line in enumerate(lines, start=1):
        record, problem = _parse(line, records[-1] if records else None)
        if record is None:
            return Chain(tuple(records), break_line=number, problem=problem)
        records.append(record)
    return Chain(tuple(records), torn_bytes=len(torn))


def goes_on(path: Path) -> bool:
    """Whether a process still writes this journal: it holds a lock on it as long as it lives."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def read_intact(path: Path) -> tuple[Record, ...]:
    """The records of a journal that must be whole to be acted on.

    Raises:
        InputError: a line was edited, removed or damaged.
    """
    chain = read_chain(path)
    if chain.break_line is not None:
        raise InputError(
            "the journal was changed after it was written",
            where=f"{path}:{chain.break_line}",
            found=chain.problem,
            mend="invoke runs.audit shows all damage; compare with a copy of the run's folder",
        )
    return chain.records


def _parse(line: bytes, previous: Record | None) -> tuple[Record | None, str]:
    try:
        fields = json.loads(line)
        at = datetime.fromisoformat(fields["at"])
        record = Record(fields["seq"], at, fields["kind"], fields["data"], fields["prev"], fields["hash"])
        if not (isinstance(record.data, dict) and isinstance(record.kind, str) and at.tzinfo):
            return None, "not a journal record"
    except (ValueError, KeyError, TypeError):
        return None, "not a journal record"
    expected_seq = previous.seq + 1 if previous else 1
    if record.seq != expected_seq:
        return None, f"record {record.seq} stands where {expected_seq} was expected"
    if record.prev != (previous.hash if previous else ORIGIN):
        return None, f"record {record.seq} does not follow the line before it"
    if record.hash != record.expected_hash():
        return None, f"record {record.seq} was edited: its hash does not match"
    return record, ""


class Journal:
    """A journal open for writing, by this process alone, from any of its threads.

    After a failed write it takes nothing more: what the file holds then is only known by reading it again.
    """

    def __init__(self, descriptor: int, path: Path, records: tuple[Record, ...], redactor: Redactor) -> None:
        self._descriptor = descriptor
        self.path = path
        self.records = list(records)
        self._redactor = redactor
        self._one_at_a_time = threading.Lock()
        self._shut: OSError | None = None

    @classmethod
    def create(cls, folder: Path, redactor: Redactor) -> Self:
        """Begin the journal of a new run in its own new folder.

        Raises:
            RunbookError: the folder can't be made or written; nothing was done.
        """
        path = folder / FILE_NAME
        try:
            folder.mkdir(parents=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            sync_folder(folder)
            sync_folder(folder.parent)
        except OSError as error:
            raise RunbookError(
                "the run can't be recorded, so it was not begun",
                where=str(path),
                found=error.strerror or str(error),
                mend="check the folder's owner and free space, then call the command again",
            ) from error
        return cls(descriptor, path, (), redactor)

    @classmethod
    def reopen(cls, folder: Path, redactor: Redactor) -> Self:
        """Go on with the journal of a run that was interrupted.

        An unfinished last line, all that a kill during a write can leave, is cut off first.

        Raises:
            InputError: the journal is damaged, or the run is still going on in another process.
        """
        path = folder / FILE_NAME
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
        except OSError as error:
            raise InputError("the journal can't be opened", where=str(path), found=error.strerror or "") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise InputError(
                "the run is still going on in another process",
                where=str(path),
                mend="wait for it, or stop it",
            ) from error
        try:
            records = read_intact(path)
            os.ftruncate(descriptor, os.fstat(descriptor).st_size - read_chain(path).torn_bytes)
        except InputError:
            os.close(descriptor)
            raise
        return cls(descriptor, path, records, redactor)

    def append(self, kind: str, now: Callable[[], datetime] = lambda: datetime.now(UTC), **data: Any) -> Record:
        """Write one record and wait until it is on disk.

        Raises:
            JournalUnwritable: no space, the disk failed, or the journal is closed.
            TypeError, ValueError: the data is not JSON-like; nothing was written.
        """
        clean = as_noted(self._redactor.data(data))
        with self._one_at_a_time:
            return self._append(kind, now(), clean)

    def _append(self, kind: str, at: datetime, clean: Data) -> Record:
        previous = self.records[-1] if self.records else None
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        draft = Record(
            seq=previous.seq + 1 if previous else 1,
            at=at,
            kind=kind,
            data=clean,
            prev=previous.hash if previous else ORIGIN,
            hash="",
        )
        record = Record(draft.seq, draft.at, kind, clean, draft.prev, draft.expected_hash())
        self._write(record.line())
        self.records.append(record)
        return record

    def _write(self, line: bytes) -> None:
        if self._shut is not None:
            raise unwritable(self.path, self._shut)
        start = os.fstat(self._descriptor).st_size
        try:
            if os.write(self._descriptor, line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self._descriptor)
        except OSError as error:
            self._shut = error
            with contextlib.suppress(OSError):  # a half line that stays is cut off when the journal is opened again
                os.ftruncate(self._descriptor, start)
            raise unwritable(self.path, error) from error

    def close(self) -> None:
        """Let go of the file; another process may then resume the run. A late `append` is refused."""
        with self._one_at_a_time:
            if self._descriptor >= 0:
                self._shut = self._shut or OSError(errno.EBADF, "the journal is closed")
                os.close(self._descriptor)
                self._descriptor = -1


def unwritable(path: Path, error: OSError) -> JournalUnwritable:
    """The error for a run log that can't be written, with what to do about it."""
    return JournalUnwritable(
        "the run log can't be written, so nothing is done that could not be recorded",
        where=str(path),
        found=error.strerror or str(error),
        mend=f"check the folder's owner and free space, then: invoke runs.resume {path.parent.name}",
    )


def as_noted(data: Data) -> dict[str, Any]:
    """The data as it will be read back. Lone surrogates, from undecodable file names, can't be written as UTF-8.

    Raises:
        TypeError, ValueError: it is not JSON-like.
    """
    text = json.dumps(dict(data), ensure_ascii=False, allow_nan=False)
    plain: dict[str, Any] = json.loads(text.encode(errors="replace"))
    return plain
