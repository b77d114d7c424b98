"""What a deploy and a rollback share: a release that is put to work on the hosts beside the one that serves."""

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
from runbooks.systems.hosts.rollout import Plan
from runbooks.systems.platform import hosting
from runbooks.systems.platform.hosting import HostState, Placement, Slot
from runbooks.systems.releases.ledger import Releases
from runbooks.systems.releases.record import Entry, Kind

LEFT_OUT = "left-out"
"""The kind of record that says which host a run goes on without, and why."""


@dataclass(kw_only=True)
class Serving:
    """A release that is to serve.

    Attributes:
        wanted: The release as it lies on a host.
        runs: The folder of the environment's runs on this machine.
        blame: Why the release is bad, once something has shown that it is.
    """

    site: Site
    snapshots: Snapshots
    wanted: hosting.Release
    run: str
    runs: Path
    blame: str = ""

    @property
    def declared(self) -> Deploy:
        return self.site.environment.deploy

    @cached_property
    def releases(self) -> Releases:
        return Releases(self.snapshots.shelf.store)

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
        """What it is started with: today's variables; the one that names a commit names its own."""
        variables, name = self.site.variables, self.site.environment.release.commit_variable
        if not name or name not in variables:
            return variables
        return {**variables, name: Secret(name, self.wanted.commit)}

    @cached_property
    def placement(self) -> Placement:
        return Placement(self.wanted, self.run, self.site.variables_fingerprint() or "")

    @cached_property
    def left_out(self) -> dict[str, str]:
        """By host: why this run goes on without it, as the inventory's number of failures allows."""
        return {each["host"]: each["why"] for each in self.all_noted(LEFT_OUT)}

    @property
    def hosts(self) -> tuple[str, ...]:
        """Those that this run changes."""
        return tuple(host for host in self.hosting.hosts if host not in self.left_out)

    @property
    def spare(self) -> int:
        """How many hosts may still fail."""
        return max(0, self.rollout.failures - len(self.left_out))

    def leave_out(self, scope: Scope, host: str, fault: SystemFault) -> None:
        """Go on without a host: it stays with what it runs."""
        why = f"{fault.what}: {fault.found}" if fault.found else fault.what
        self.left_out[host] = why
        scope.record(LEFT_OUT, host=host, why=why, text=f"{host} is left with what it runs: {why}")

    def states(self) -> Mapping[str, HostState]:
        """Every host as it is, but for those that were left out.

        Raises:
            SystemFault: one of them can't be asked.
        """
        return {host: _asked(state) for host, state in self._found().items()}

    def everywhere(self, holds: Callable[[HostState], bool]) -> bool:
        """Whether it holds on every host. While hosts may fail, it does not on one that can't be asked.

        Raises:
            SystemFault: one of them can't be asked, and none may fail.
        """
        found = self._found().values()
        if self.spare and any(isinstance(state, SystemFault) for state in found):
            return False
        return all(holds(_asked(state)) for state in found)

    def _found(self) -> Mapping[str, HostState | SystemFault]:
        return {host: state for host, state in self.hosting.observe_all().items() if host not in self.left_out}

    def all_noted(self, kind: str) -> Sequence[State]:
        """What this run recorded under this kind, also before it was interrupted; a plan has no journal."""
        journal = self.runs / self.run / FILE_NAME
        if not journal.exists():
            return []
        return [record.data for record in read_chain(journal).records if record.kind == kind]

    def noted(self, kind: str) -> State | None:
        """The last of them."""
        found = self.all_noted(kind)
        return found[-1] if found else None

    def ours(self, state: HostState) -> Slot | None:
        """The slot in which this run's release lies on a host; None: in neither."""
        placed = ((slot, each.placement) for slot, each in state.slots.items())
        return next((slot for slot, placement in placed if placement and placement.run == self.run), None)

    def slot(self, state: HostState) -> Slot:
        """Where this run's release goes on a host: the slot that it has it in already, or the idle one."""
        return self.ours(state) or state.idle

    def entry(self, kind: Kind, scope: Scope, **more: Any) -> Entry:
        """An entry of the ledger by this run, about its release."""
        return Entry(
            kind=kind, at=datetime.now(UTC), by=operator(), run=self.run, token=scope.token, id=self.wanted.id, **more
        )

    def said(self, *kinds: Kind) -> bool:
        """Whether this run has written such an entry."""
        return any(entry.run == self.run and entry.kind in kinds for entry in self.releases.entries())

    def prove(self, problem: str) -> SystemFault:
        """The error for a release that has shown that it is bad."""
        self.blame = problem
        return SystemFault("the release does not do what it must", reason=Reason.FAILED, found=problem)


def _asked(state: HostState | SystemFault) -> HostState:
    if isinstance(state, SystemFault):
        raise state
    return state


def without(work: Serving) -> str:
    """What a run's last line adds where hosts were left out."""
    lines = "".join(f"; {host} is left with what it runs: {why}" for host, why in work.left_out.items())
    return f"{lines}; have them answer, then: invoke release.deploy --release {work.wanted.id}" if lines else ""
