"""Entries of a ledger, in the words of a test."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from runbooks.engine.store import Store
from runbooks.systems.releases.ledger import Releases
from runbooks.systems.releases.record import Entry, Kind, Release, State

OFFICE = """\
schema = 1
protected = false
[application]
url = "http://127.0.0.1:9"
[variables]
source = "environment"
[platform]
kind = "hosts"
[store]
folder = "store"
"""


def declare_office(project: Path) -> None:
    """An environment ``office``, that nobody has to run for its ledger, which lies in the folder ``store``."""
    folder = project / "inventory" / "office"
    folder.mkdir()
    (folder / "environment.toml").write_text(OFFICE)


@dataclass
class Writer:
    """Writes what a run would; each call is a run of its own."""

    store: Store
    token: int = 1
    runs: int = 0

    @property
    def releases(self) -> Releases:
        return Releases(self.store)

    def deployed(self, id: str, *, state: State = State.STABLE, before: str | None = "") -> Entry:
        snapshot = f"before-{id}" if before == "" else before
        release = Release(id=id, version=id, commit=id * 20, heads=(f"head-{id}",), snapshot_before=snapshot)
        return self.write(Kind.DEPLOYED, id, release=release, state=state)

    def rolled_back(self, id: str) -> Entry:
        self.runs += 1
        release = Release(id=id, version=id, commit=id * 20, snapshot_before=f"before-rollback-{self.runs}")
        return self.write(Kind.ROLLED_BACK, id, release=release, data=True)

    def write(self, kind: Kind, id: str, *, run: str = "", **fields: object) -> Entry:
        self.runs += 1
        entry = Entry(
            kind=kind,
            at=datetime(2026, 1, 1, tzinfo=UTC),
            by="anna@desk",
            run=run or f"run-{self.runs}",
            token=self.token,
            id=id,
            **fields,  # type: ignore[arg-type]
        )
        return self.releases.append(entry)
