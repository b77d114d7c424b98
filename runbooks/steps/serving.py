"""What a deploy and a rollback share: a release that is put to work on the hosts beside the one that serves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.lease import operator
from runbooks.engine.secret import Secret
from runbooks.engine.step import Scope
from runbooks.environment.deploying import Deploy
from runbooks.environment.site import Site
from runbooks.environment.snapshots import Snapshots
from runbooks.systems.hosts.rollout import Plan
from runbooks.systems.platform import hosting
from runbooks.systems.platform.hosting import HostState, Placement, Slot
from runbooks.systems.releases.ledger import Releases
from runbooks.systems.releases.record import Entry, Kind


@dataclass(kw_only=True)
class Serving:
    """A release that is to serve.

    Attributes:
        wanted: The release as it lies on a host.
        blame: Why the release is bad, once something has shown that it is.
    """

    site: Site
    snapshots: Snapshots
    wanted: hosting.Release
    run: str
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
