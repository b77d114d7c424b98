"""What the ledger of releases is made of: entries that are written once, and the release that an entry is about."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

SCHEMA: Literal[1] = 1


class State(enum.StrEnum):
    """What is known of a release: it runs; it proved itself, or a person promoted it; it must not be gone back to."""

    CANDIDATE = "candidate"
    STABLE = "stable"
    BAD = "bad"


class Kind(enum.StrEnum):
    """What an entry says happened."""

    BEGAN = "began"
    """A run begins to change what runs; from here on, whoever holds an older lease is refused."""
    DEPLOYED = "deployed"
    ROLLED_BACK = "rolled-back"
    UNDONE = "undone"
    """A rollback was taken back, so what it had replaced runs again: ``undoes`` names its run."""
    WITHDRAWN = "withdrawn"
    """A run has ended by taking back what it did: what ran before runs again."""
    RENEWED = "renewed"
    """What runs was started anew with other values of a secret: ``release`` as it runs from here on."""
    PROMOTED = "promoted"
    MARKED_BAD = "marked-bad"


@dataclass(frozen=True, kw_only=True)
class Release:
    """A release, as it was put to work.

    Attributes:
        id: Names its folder on the hosts. Never given to another build.
        version: A tag that its commit has, or its commit's first characters.
        commit: Its git commit.
        heads: The migrations that the schema was at once it ran.
        variables: A keyed hash of its variables; None where no key is declared.
        variables_backup: The encrypted copy of its variables in the store; None: there is none.
        snapshot_before: The snapshot that was taken ahead of its migration; None: there was no database to keep.
        migrations: Each revision that was new in it, and what linting its SQL came to.
        migrates_at_start: Whether its start command migrates: it then can't run over a newer schema.
    """

    id: str
    version: str
    commit: str
    heads: tuple[str, ...] = ()
    variables: str | None = None
    variables_backup: str | None = None
    snapshot_before: str | None = None
    migrations: dict[str, str] = field(default_factory=dict)
    migrates_at_start: bool = False


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One object of the ledger. Nothing of it is ever changed; what is learnt later is a later entry.

    Attributes:
        number: From 1 on, without gaps: whoever is second to write a number is refused by the store.
        token: The fencing token of the lease under which it was written.
        id: The release that it is about.
        release: The release as it runs from here on; of `DEPLOYED`, `ROLLED_BACK` and `RENEWED`. Of `WITHDRAWN`, the
            one that was tried: its snapshot is still the way back where its migration was left.
        state: What the release is held for from here on; None: it stays what it was.
        data: Of `ROLLED_BACK` and `UNDONE`: whether the database was put back too.
        undoes: Of `UNDONE`: the run that is taken back.
        reason: In a person's words, or how it failed.
        left_out: Of `DEPLOYED`, `ROLLED_BACK` and `UNDONE`: the hosts that it goes on without, and why.
        heads: Of `WITHDRAWN` and `UNDONE`: the migrations that the schema was left at.
    """

    schema: Literal[1] = SCHEMA
    number: int = 0
    kind: Kind
    at: datetime
    by: str
    run: str
    token: int
    id: str
    release: Release | None = None
    state: State | None = None
    data: bool = False
    undoes: str = ""
    reason: str = ""
    left_out: dict[str, str] = field(default_factory=dict)
    heads: tuple[str, ...] | None = None
