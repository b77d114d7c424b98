"""Copies of the application's variables: made in the store, and written back to a file."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from runbooks.engine.atomic import write_atomically
from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.engine.step import Scope
from runbooks.environment.variable_copies import VariableCopies
from runbooks.systems.secrets import dotenv
from runbooks.systems.secrets.dotenv_text import replaced
from runbooks.systems.variables.copies import Copy


@dataclass
class Copying:
    """What a run that makes a copy works with."""

    backups: VariableCopies
    run: str

    @property
    def made(self) -> Copy | None:
        """The copy that this run has made."""
        return self.backups.made_by(self.run)


def back_up(copying: Copying, _scope: Scope) -> str:
    """Encrypt the variables of now into the store."""
    copy = copying.backups.back_up(copying.run)
    return f"{copy.id}: {len(copy.fingerprints)} variables, encrypted to {len(copy.encrypted)} keys"


def is_backed_up(copying: Copying, _scope: Scope) -> bool:
    """Whether this run's copy is there, whole."""
    return copying.made is not None


def plan_back_up(copying: Copying) -> Iterator[str]:
    count = len(copying.backups.snapshots.site.variables)
    to = len(copying.backups.snapshots.recipient_keys)
    yield f"{count} variables, encrypted to {to} keys, into {copying.backups.copies}"


@dataclass
class WritingBack:
    """What a run that writes a copy to a file works with."""

    backups: VariableCopies
    copy: Copy
    path: Path


def refuse_to_overwrite(writing: WritingBack) -> None:
    """Raises InputError if there is something in the file's place, or no folder for it."""
    if os.path.lexists(writing.path):
        raise InputError(
            "there is a file already, and it is not overwritten",
            where=str(writing.path),
            mend=f"name another with --to, or move it away: mv {shlex.quote(str(writing.path))} ….old",
        )
    if not writing.path.parent.is_dir():
        where, mend = str(writing.path.parent), f"mkdir -m 700 {shlex.quote(str(writing.path.parent))}"
        raise InputError("there is no folder for the file", where=where, mend=mend)


def write_back(writing: WritingBack, _scope: Scope) -> str:
    """Decrypt the copy into a file that only its owner can read."""
    text = as_dotenv(writing.backups.open(writing.copy), str(writing.path))
    try:
        write_atomically(writing.path, text.encode(), 0o600)
    except OSError as error:
        where, found = str(writing.path), error.strerror or ""
        raise SystemFault("the file can't be written", reason=Reason.FAILED, where=where, found=found) from None
    return f"{len(writing.copy.fingerprints)} variables of {writing.copy.id} in {writing.path}, for its owner only"


def is_written_back(writing: WritingBack, _scope: Scope) -> bool:
    """Whether the file holds exactly the copy's variables."""
    if not writing.path.exists():
        return False
    try:
        return dict(dotenv.DotenvSource(writing.path).load()) == dict(writing.backups.open(writing.copy))
    except InputError:
        return False


def plan_write_back(writing: WritingBack) -> Iterator[str]:
    refuse_to_overwrite(writing)
    copy = writing.copy
    yield f"{len(copy.fingerprints)} variables of {copy.id}, taken {copy.taken:%Y-%m-%d %H:%M} UTC, to {writing.path}"


def as_dotenv(variables: Mapping[str, Secret], origin: str) -> str:
    """A dotenv text that reads back as exactly these.

    Raises:
        InputError: a value can't be written so; it is named, not shown.
    """
    names = "".join(f"{name}=\n" for name in variables)
    return replaced(names, {name: secret.reveal() for name, secret in variables.items()}, origin)
