"""What the steps of a restore share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from runbooks.environment.snapshots import Snapshots
from runbooks.steps.making import DATA, STREAMED, contents_of
from runbooks.systems.postgres import databases
from runbooks.systems.postgres.databases import Mark
from runbooks.systems.postgres.programs import Programs
from runbooks.systems.snapshots.manifest import STREAM, Contents, Manifest, StoredFile

MADE, FILLING, FILLED, PROVEN = "made", "filling", "filled", "proven"
"""How far a sibling is, as its comment says."""


@dataclass
class Restoring:
    """What the steps of a restore share."""

    snapshots: Snapshots
    manifest: Manifest
    run: str
    differences: list[str] = field(default_factory=list)

    @cached_property
    def contents(self) -> Contents:
        """What the sibling must equal."""
        return contents_of(self.snapshots, self.manifest)

    @property
    def sibling(self) -> str:
        """The new database's name, which carries the run."""
        return databases.sibling_name(self.manifest.database, "restore", self.tail)

    @property
    def tail(self) -> str:
        """What tells this run's databases from others'."""
        return tail_of(self.run)

    @property
    def folder(self) -> Path:
        return self.snapshots.work(self.run)

    @property
    def archive(self) -> Path:
        """Where the archive is on this machine once it is fetched."""
        return self.folder / (STREAMED if self.manifest.archive == STREAM else DATA)

    @cached_property
    def programs(self) -> Programs:
        return self.snapshots.programs(self.manifest.programs)

    @property
    def files(self) -> Sequence[StoredFile]:
        """The archive's objects."""
        return [file for file in self.manifest.files if file.name.startswith(f"{DATA}/")]

    @property
    def bytes(self) -> int:
        """What they take in the store."""
        return sum(file.size for file in self.files)

    def mark(self) -> Mark | None:
        """How far this run's sibling is; None: there is none, or it is another run's."""
        with self.snapshots.access.connection() as connection:
            said = databases.mark(connection, self.sibling)
        return said if said and said.run == self.run else None

    def reached(self, *states: str) -> bool:
        said = self.mark()
        return said is not None and said.state in states

    def said(self, state: str) -> Mark:
        """What the sibling's comment says at this point."""
        return Mark(self.run, state, self.manifest.id, self.manifest.database)


def tail_of(run: str) -> str:
    """What a run's databases and its own server are named after: its day, and what is random in its id."""
    return f"{run[:8]}_{run.rpartition('-')[2]}"
