"""What the steps of a deploy share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.journal import FILE_NAME, read_chain
from runbooks.engine.lease import operator
from runbooks.engine.secret import Secret
from runbooks.engine.step import Scope, State
from runbooks.environment.deploying import Deploy
from runbooks.environment.site import Site
from runbooks.environment.snapshots import Snapshots
from runbooks.environment.variable_copies import VariableCopies
from runbooks.steps.making import Making
from runbooks.systems.hosts.rollout import Plan
from runbooks.systems.platform import hosting
from runbooks.systems.platform.hosting import HostState, Placement, Slot
from runbooks.systems.releases.history import History
from runbooks.systems.releases.ledger import Releases
from runbooks.systems.releases.record import Entry, Kind, Release
from runbooks.systems.variables.copies import new_id


@dataclass
class Deploying:
    """What the steps share.

    Attributes:
        wanted: The release that is to run.
        version: What people call it.
        runs: The folder of the environment's runs on this machine.
        blame: Why the release is bad, once something has shown that it is.
    """

    site: Site
    snapshots: Snapshots
    making: Making
    wanted: hosting.Release
    version: str
    run: str
    runs: Path
    blame: str = ""

    @property
    def declared(self) -> Deploy:
        return self.site.environment.deploy

    @cached_property
    def releases(self) -> Releases:
        return Releases(self.snapshots.shelf.store)

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

    @property
    def hosting(self) -> hosting.Hosting:
        return self.site.hosting

    @property
    def rollout(self) -> Plan:
        """In which order the hosts are changed."""
        declared = self.site.environment.platform.hosts
        return Plan(declared.canaries, declared.batch, declared.failures) if declared else Plan()

    @property
    def variables(self) -> Mapping[str, Secret]:
        return self.site.variables

    def states(self) -> Mapping[str, HostState]:
        """Every host as it is.

        Raises:
            SystemFault: one of them can't be asked.
        """
        found = {}
        for host, state in self.hosting.observe_all().items():
            if isinstance(state, SystemFault):
                raise state
            found[host] = state
        return found

    def slot(self, state: HostState) -> Slot:
        """Where this run's release goes on a host: the slot that it has it in already, or the idle one."""
        ours = [slot for slot, each in state.slots.items() if each.placement and each.placement.run == self.run]
        return ours[0] if ours else state.idle

    @cached_property
    def placement(self) -> Placement:
        return Placement(self.wanted, self.run, self.site.variables_fingerprint() or "")

    def entry(self, kind: Kind, scope: Scope, **more: Any) -> Entry:
        """An entry of the ledger by this run, about its release."""
        return Entry(
            kind=kind, at=datetime.now(UTC), by=operator(), run=self.run, token=scope.token, id=self.wanted.id, **more
        )

    def noted(self, kind: str) -> State | None:
        """What this run recorded last under this kind, also before it was interrupted."""
        chain = read_chain(self.runs / self.run / FILE_NAME)
        found = [record.data for record in chain.records if record.kind == kind]
        return found[-1] if found else None

    def prove(self, problem: str) -> SystemFault:
        """The error for a release that has shown that it is bad."""
        self.blame = problem
        return SystemFault("the release does not do what it must", reason=Reason.FAILED, found=problem)


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
