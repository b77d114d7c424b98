"""What the steps of a rotation work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from runbooks.engine.errors import NeedsPerson
from runbooks.engine.secret import Secret
from runbooks.environment.site import Site
from runbooks.environment.snapshots import Snapshots
from runbooks.steps.rotation.kind import Change, Consumers, Kind
from runbooks.systems.releases.ledger import Releases
from runbooks.systems.secrets.versions import SecretVersions, Stage, Versions


@dataclass
class Rotating:
    """What the steps work with.

    Attributes:
        fresh: Opens the environment anew: a site reads its variables once.
        patience: Seconds to wait for those who use the old value.
    """

    site: Site
    run: str
    kind: Kind
    versions: SecretVersions
    consumers: Consumers
    fresh: Callable[[], Site]
    patience: float

    @property
    def releases(self) -> Releases:
        """The ledger of what runs."""
        return Releases(Snapshots(self.site).shelf.store)

    @property
    def names(self) -> tuple[str, ...]:
        return self.kind.names

    def read(self) -> list[Versions]:
        """The versions of each name, as they are now."""
        return [self.versions.read(name) for name in self.names]

    def stages(self) -> set[Stage]:
        """How far this run has brought the names; one of them, unless it was killed between two."""
        return {versions.stage(self.run) for versions in self.read()}

    def current(self) -> dict[str, Secret]:
        """The values that are CURRENT."""
        return {each.name: each.current.value for each in self.read() if each.current}

    def change(self) -> Change:
        """The values before and after.

        Raises:
            NeedsPerson: this run has made none, or has forgotten the old ones.
        """
        old, new, ids, since = {}, {}, {}, None
        for each in self.read():
            before, after = (
                (each.current, each.pending) if each.stage(self.run) is Stage.PENDING else (each.previous, each.current)
            )
            if before is None or after is None or each.stage(self.run) not in (Stage.PENDING, Stage.PROMOTED):
                raise NeedsPerson(
                    f"this run's versions of {each.name} are not there",
                    where=str(self.versions),
                    found=f"the run has brought it to: {each.stage(self.run)}",
                    mend="invoke secrets.status",
                )
            old[each.name], new[each.name], since = before.value, after.value, after.created
            ids[each.name] = before.id
        return Change(old, new, since, old_ids=ids)
