"""Which throw-away users the journals of this tool say are still there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runbooks.engine.errors import InputError
from runbooks.engine.journal import FILE_NAME, Record, goes_on, read_chain
from runbooks.engine.runs import folders

REGISTERING = "registering-users"
"""Recorded ahead of a registration: the addresses that it may leave behind, whatever happens to the run."""

CREATED = "created-user"
ERASED = "erased-users"

JOURNALS_READ = 100
"""How many of the newest journals are searched for users that a killed run left behind."""


@dataclass(frozen=True)
class Left:
    """An address that some run registered, or was about to, and none has erased. ``id``: what is known of it."""

    email: str
    id: int | None = None

    def __str__(self) -> str:
        return (
            f"user {self.id} ({self.email})" if self.id is not None else f"perhaps a user with the address {self.email}"
        )


def left_behind(runs: Path, own_run: str) -> list[Left]:
    """What this run and those that are over have not erased. A run that still goes on cleans up after itself."""
    users: dict[str, Left] = {}
    for folder in list(folders(runs))[-JOURNALS_READ:]:
        if folder.name == own_run or not goes_on(folder / FILE_NAME):
            for record in _records(folder):
                _follow(record, users)
    return list(users.values())


def _records(folder: Path) -> Iterator[Record]:
    with contextlib.suppress(InputError):  # runs.audit tells of a journal that can't be read
        yield from read_chain(folder / FILE_NAME).records


def _follow(record: Record, users: dict[str, Left]) -> None:
    if record.kind == REGISTERING:
        for email in record.data.get("emails", ()):
            users.setdefault(email, Left(email))
    elif record.kind == CREATED:
        users[record.data["email"]] = Left(record.data["email"], record.data["id"])
    elif record.kind == ERASED:
        for email in record.data.get("emails", ()):
            users.pop(email, None)
