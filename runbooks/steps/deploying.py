"""What the steps of a deploy share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from runbooks.engine.journal import FILE_NAME, read_chain
from runbooks.engine.step import Scope, State
from runbooks.environment.variable_copies import VariableCopies
from runbooks.steps.making import Making
from runbooks.steps.serving import Serving
from runbooks.systems.releases.history import History
from runbooks.systems.releases.record import Release
from runbooks.systems.variables.copies import new_id


@dataclass(kw_only=True)
class Deploying(Serving):
    """What the steps share.

    Attributes:
        version: What people call the release.
        runs: The folder of the environment's runs on this machine.
    """

    making: Making
    version: str
    runs: Path

    @cached_property
    def copies(self) -> VariableCopies:
        return VariableCopies(self.snapshots)

    def history(self) -> History:
        """The ledger as it is now."""
        return self.releases.history()

    def history_before(self) -> History:
        """The ledger without what this run has written."""
        return History.of([each for each in self.releases.entries() if each.run != self.run])

    @property
    def before(self) -> Release | None:
        """What ran when this run began; None: nothing that the ledger knows of."""
        return self.history_before().current

    def noted(self, kind: str) -> State | None:
        """What this run recorded last under this kind, also before it was interrupted."""
        chain = read_chain(self.runs / self.run / FILE_NAME)
        found = [record.data for record in chain.records if record.kind == kind]
        return found[-1] if found else None


def on_making(call: Callable[[Making, Scope], Any]) -> Callable[[Deploying, Scope], Any]:
    """A step of a snapshot as a step of a deploy."""

    def act(work: Deploying, scope: Scope) -> Any:
        return call(work.making, scope)

    act.__wrapped__ = call  # type: ignore[attr-defined]  # so that the runbook's digest changes with it
    return act


def release_now(work: Deploying, heads: Sequence[str], migrations: Mapping[str, str], at_start: bool) -> Release:
    """The release, as the ledger keeps it."""
    copy = work.copies.copies.copy(new_id(work.run))
    return Release(
        id=work.wanted.id,
        version=work.version,
        commit=work.wanted.commit,
        heads=tuple(heads),
        variables=work.site.variables_fingerprint(),
        variables_backup=copy.id if copy else None,
        snapshot_before=work.making.id,
        migrations=dict(migrations),
        migrates_at_start=at_start,
    )
