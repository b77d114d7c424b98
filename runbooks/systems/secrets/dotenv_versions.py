"""Versions of the secrets in a dotenv file: CURRENT is what stands in it, the others are kept in a folder beside it.

``variables.env.versions/`` can be entered by the file's owner only, and tells git to look away. ``versions.json`` in it
holds, for each secret in rotation, the value before and the one that is to come; which of them is CURRENT is not
written down but read from the dotenv file. So each effect is the renaming of one file, and there is no moment at which
two files disagree.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import os
import stat
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from runbooks.engine.atomic import sync_folder, write_atomically
from runbooks.engine.errors import InputError, NeedsPerson, Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.secrets.dotenv import parse, read_private
from runbooks.systems.secrets.dotenv_text import replaced
from runbooks.systems.secrets.versions import Version, Versions, version_id

SUFFIX = ".versions"
SCHEMA = 1


@dataclass(frozen=True)
class _Kept:
    """What is kept of a secret.

    Attributes:
        id: The version that the last rotation made.
        run: That rotation's run, for people.
        created: When the version was put, in ISO 8601.
        digest: SHA-256 over id and value: tells, once the value is no longer kept here, whether it is still CURRENT.
        new: The version's value, until PREVIOUS is retired.
        old: The value before, until then.
        old_id: The id of the version before.
        old_created: When that was put.
    """

    id: str
    run: str
    created: str
    digest: str
    new: str | None = None
    old: str | None = None
    old_id: str | None = None
    old_created: str | None = None


@dataclass(frozen=True)
class DotenvVersions:
    """See `VersionStore`. The path must be the file's own, not a link's: a link would be replaced."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    @property
    def folder(self) -> Path:
        """Where the versions lie that are not CURRENT."""
        return self.path.with_name(self.path.name + SUFFIX)

    @property
    def record(self) -> Path:
        """The file that they lie in."""
        return self.folder / "versions.json"

    def read(self, name: str) -> Versions:
        value = self._values().get(name)
        if value is None:
            return Versions(name)
        kept = self._records().get(name)
        if kept is None:
            return Versions(name, Version(None, value))
        return self._told(name, value, kept)

    def _told(self, name: str, value: Secret, kept: _Kept) -> Versions:
        new_created, old_created = _moment(kept.created), _moment(kept.old_created)
        if kept.new is None or kept.old is None:
            is_ours = kept.digest == _digest(kept.id, value.reveal())
            return Versions(name, Version(kept.id, value, new_created) if is_ours else Version(None, value))
        new = Version(kept.id, Secret(name, kept.new), new_created)
        old = Version(kept.old_id, Secret(name, kept.old), old_created)
        if value == new.value:
            return Versions(name, current=new, previous=old)
        if value == old.value:
            return Versions(name, current=old, pending=new)
        raise NeedsPerson(
            f"{name} was changed by hand while it was being rotated",
            where=str(self.path),
            found=f"neither the value before run {kept.run} nor the one that it made",
            mend=f"put one of the two back, which are in {self.record}; or, to keep yours, remove '{name}' there",
        )

    def refuse(self, name: str, value: str) -> None:
        replaced(read_private(self.path), {name: value}, str(self))

    def put(self, values: Mapping[str, Secret], run: str) -> None:
        records = self._records()
        now = datetime.now(UTC).isoformat(timespec="seconds")
        for name, value in values.items():
            current = self.read(name).current
            assert current, "what does not exist is not rotated"
            id = version_id(run, name)
            records[name] = _Kept(
                id=id,
                run=run,
                created=now,
                digest=_digest(id, value.reveal()),
                new=value.reveal(),
                old=current.value.reveal(),
                old_id=current.id,
                old_created=current.created.isoformat() if current.created else None,
            )
        self._write_records(records)

    def promote(self, names: Collection[str]) -> None:
        self._set({name: self._records()[name].new for name in names})

    def demote(self, names: Collection[str]) -> None:
        self._set({name: self._records()[name].old for name in names})

    def discard(self, names: Collection[str]) -> None:
        records = self._records()
        for name in names:
            kept = records.pop(name)
            if kept.old_id and kept.old is not None:
                before = _Kept(kept.old_id, "", kept.old_created or "", _digest(kept.old_id, kept.old))
                records[name] = before
        self._write_records(records)

    def retire(self, names: Collection[str]) -> None:
        records = self._records()
        for name in names:
            records[name] = dataclasses.replace(records[name], new=None, old=None, old_id=None, old_created=None)
        self._write_records(records)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        with self._faults():
            self._ensure_folder()
            descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _values(self) -> Mapping[str, Secret]:
        return parse(read_private(self.path), str(self))

    def _text(self, values: Mapping[str, str]) -> str:
        """What the file holds once these are CURRENT."""
        return replaced(read_private(self.path), values, str(self))

    def _records(self) -> dict[str, _Kept]:
        if not self.record.exists():
            return {}
        text = read_private(self.record)
        try:
            data = json.loads(text)
            if data["schema"] != SCHEMA:
                raise ValueError
            return {name: _Kept(**fields) for name, fields in data["secrets"].items()}
        except (ValueError, TypeError, KeyError, AttributeError):
            raise InputError(
                "the versions beside a dotenv file can't be read",
                where=str(self.record),
                found="not what this version of the tool writes",
                mend="bring it back from a copy; without it a running rotation can neither go on nor back",
            ) from None

    def _write_records(self, records: Mapping[str, _Kept]) -> None:
        secrets = {name: dataclasses.asdict(kept) for name, kept in sorted(records.items())}
        body = json.dumps({"schema": SCHEMA, "secrets": secrets}, indent=1)
        self._replace(self.record, body, 0o600, None)

    def _set(self, values: Mapping[str, str | None]) -> None:
        known = {name: value for name, value in values.items() if value is not None}
        text = self._text(known)
        status = self.path.stat()
        self._replace(self.path, text, stat.S_IMODE(status.st_mode), (status.st_uid, status.st_gid))

    def _replace(self, path: Path, text: str, mode: int, owner: tuple[int, int] | None) -> None:
        """As `atomic.write_atomically`, by way of our folder: what a killed process left there is overwritten."""
        draft = self.folder / "next"
        with self._faults():
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                if owner and owner != (os.geteuid(), os.getegid()):
                    os.fchown(file.fileno(), *owner)
                os.fchmod(file.fileno(), mode)
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
            sync_folder(path.parent)

    def _ensure_folder(self) -> None:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        status = self.folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_mode & 0o077 or status.st_uid not in (0, os.geteuid()):
            raise InputError(
                "the folder for versions of secrets is open to others",
                where=str(self.folder),
                found=f"mode {stat.S_IMODE(status.st_mode):04o}, user id {status.st_uid}",
                mend=f"chmod 700 {self.folder}; it must be a folder of yours",
            )
        ignore = self.folder / ".gitignore"
        if not ignore.exists():
            write_atomically(ignore, b"*\n")
            sync_folder(self.path.parent)

    @contextlib.contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SystemFault(
                "versions of secrets can't be written",
                reason=Reason.FAILED,
                where=str(error.filename or self.path),
                found=error.strerror or "",
                mend=f"it needs room, and {self.path.parent} must be writable for the user who runs this",
            ) from None


def _digest(id: str, value: str) -> str:
    return hashlib.sha256(f"{id}/{value}".encode(errors="surrogateescape")).hexdigest()


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
