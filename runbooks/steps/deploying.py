"""What the steps of a deploy share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from runbooks.engine.step import Scope
from runbooks.environment.variable_copies import VariableCopies
from runbooks.steps.making import Making
from runbooks.steps.serving import Serving
from runbooks.systems.lint.squawk import Effect
from runbooks.systems.releases.history import History
from runbooks.systems.releases.record import Release
from runbooks.systems.variables.copies import new_id

LINTED = "migrations"
"""The kind of record that says what is new in the release, and where it takes the schema."""


@dataclass(kw_only=True)
class Deploying(Serving):
    """What the steps share.

    Attributes:
        version: What people call the release.
    """

    making: Making
    version: str

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
    def hostile(self) -> Sequence[str]:
        """The revisions new in the release that code from before it can't be relied on to live with."""
        linted = self.noted(LINTED) or {"migrations": {}}
        return [name for name, effect in linted["migrations"].items() if effect != Effect.ADDITIVE]

    @property
    def spare(self) -> int:
        return 0 if self.hostile else super().spare

    @property
    def before(self) -> Release | None:
        """What ran when this run began; None: nothing that the ledger knows of."""
        return self.history_before().current


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
