"""The protocol of a rotation, one effect a function, for whatever kind of secret.

    create -> set -> test -> promote -> switch -> renew -> prove -> wait -> withdraw -> forget

Each effect is asked of the world whether it happened, so it can be killed anywhere and resumed; and taken back, last
first, until the old value is forgotten. At any moment exactly one value is CURRENT.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from runbooks.engine.errors import NeedsPerson, Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.engine.step import Scope
from runbooks.environment.site import Site
from runbooks.environment.snapshots import Snapshots
from runbooks.environment.variable_copies import VariableCopies
from runbooks.steps.rotation.kind import Change, Consumers, Kind
from runbooks.systems.secrets.versions import SecretVersions, Stage, Versions

BEFORE, AFTER, BACK = "1-before", "2-after", "3-back"
"""The copies of the variables that a rotation makes; their names keep them in order."""

EVERY = 0.5
"""Seconds between two looks at who uses the old value."""


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
        old, new, since = {}, {}, None
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
        return Change(old, new, since)


def look(rotating: Rotating, _scope: Scope) -> str:
    """Refuse what can't be rotated now, ahead of any effect."""
    missing = [each.name for each in rotating.read() if each.current is None]
    if missing:
        raise SystemFault(f"{', '.join(missing)} is not set", reason=Reason.FAILED, where=str(rotating.versions))
    if rotating.stages() != {Stage.NONE}:
        return "this run's versions are there already"
    return rotating.kind.look(rotating.current())


def copy_before(rotating: Rotating, _scope: Scope) -> str:
    """Keep the old values where a restored snapshot finds them."""
    return _copied(rotating, BEFORE)


def create(rotating: Rotating, _scope: Scope) -> str:
    """Make new values, and keep them as PENDING."""
    new = rotating.kind.make(rotating.current())
    rotating.versions.put_pending(new, rotating.run)
    return f"PENDING: {', '.join(new)} in {rotating.versions}"


def is_created(rotating: Rotating, _scope: Scope) -> bool:
    return Stage.NONE not in rotating.stages()


def discard(rotating: Rotating, _scope: Scope) -> str:
    """Forget the new values."""
    done = rotating.versions.discard(rotating.names, rotating.run)
    return "the new value is forgotten" if done else "there is no new value"


def set_(rotating: Rotating, scope: Scope) -> str:
    """Have the system accept the new value."""
    return rotating.kind.set(rotating.change(), scope)


def is_set(rotating: Rotating, _scope: Scope) -> bool:
    return rotating.stages() != {Stage.PENDING} or rotating.kind.is_set(rotating.change())


def unset(rotating: Rotating, _scope: Scope) -> str:
    """Have the system as it was; only while the old value is CURRENT, or the application would be cut off."""
    if rotating.stages() != {Stage.PENDING}:
        raise _no_way_back(rotating)
    return rotating.kind.unset(rotating.change())


def test(rotating: Rotating, _scope: Scope) -> str:
    """Use the new value as the application will."""
    if rotating.stages() != {Stage.PENDING}:
        return "tested before it became CURRENT"
    return rotating.kind.test(rotating.change())


def promote(rotating: Rotating, _scope: Scope) -> str:
    """Make PENDING CURRENT, and CURRENT PREVIOUS."""
    rotating.versions.promote(rotating.names, rotating.run)
    return f"{', '.join(rotating.names)}: the new value is CURRENT, the old one PREVIOUS"


def is_promoted(rotating: Rotating, _scope: Scope) -> bool:
    return rotating.stages() <= {Stage.PROMOTED, Stage.RETIRED}


def demote(rotating: Rotating, _scope: Scope) -> str:
    """Make PREVIOUS CURRENT again, and have the application run with it."""
    if Stage.RETIRED in rotating.stages():
        raise _no_way_back(rotating)
    rotating.versions.demote(rotating.names, rotating.run)
    if rotating.stages() == {Stage.NONE}:
        return "it was never CURRENT"
    change = rotating.change()
    back = Change(old=change.new, new=change.old)
    if not _runs_with(rotating, back):
        rotating.consumers.renew()
    if not _runs_with(rotating, back):
        raise SystemFault("the application does not run with the old value", reason=Reason.FAILED)
    rotating.kind.settle_back(change)
    return f"the old value is CURRENT again, and the application runs with it; {_copied(rotating, BACK)}"


def switch(rotating: Rotating, _scope: Scope) -> str:
    """Change what has to change together with the application."""
    return rotating.kind.switch(rotating.change())


def is_switched(rotating: Rotating, _scope: Scope) -> bool:
    return rotating.stages() == {Stage.RETIRED} or rotating.kind.is_switched(rotating.change())


def switch_back(rotating: Rotating, _scope: Scope) -> str:
    """Change it back; the application follows at once, as the old value becomes CURRENT again."""
    if rotating.stages() != {Stage.PROMOTED}:
        raise _no_way_back(rotating)
    return rotating.kind.switch_back(rotating.change())


def renew(rotating: Rotating, _scope: Scope) -> str:
    """Start whatever uses the secret anew."""
    return rotating.consumers.renew()


def is_renewed(rotating: Rotating, _scope: Scope) -> bool:
    return rotating.stages() == {Stage.RETIRED} or _runs_with(rotating, rotating.change())


def prove(rotating: Rotating, _scope: Scope) -> str:
    """Have the application do what it needs the secret for."""
    if rotating.stages() == {Stage.RETIRED}:
        return "proven before the old value was forgotten"
    rotating.kind.settle(rotating.change())
    return rotating.kind.prove(rotating.change())


def copy_after(rotating: Rotating, _scope: Scope) -> str:
    """Keep the new values, too: the newest copy holds what runs."""
    return _copied(rotating, AFTER)


def wait(rotating: Rotating, scope: Scope) -> str:
    """Wait until nobody uses the old value.

    Raises:
        NeedsPerson: somebody still does. The run can be resumed, or taken back.
    """
    if rotating.stages() == {Stage.RETIRED}:
        return "nobody used the old value when it was forgotten"
    change, until = rotating.change(), time.monotonic() + rotating.patience
    while users := rotating.kind.users_of_old(change):
        if time.monotonic() > until or scope.stopping:
            raise NeedsPerson(
                f"the old {rotating.names[0]} is still in use, so it is kept as PREVIOUS",
                found=f"{users} still use it after {rotating.patience:g} s",
                mend=f"find them, then: invoke secrets.resume {rotating.names[0]}; or back: secrets.abort",
            )
        scope.say(f"{users} still use the old value")
        scope.stop_event.wait(EVERY)
    return "nobody uses the old value any more"


def withdraw(rotating: Rotating, _scope: Scope) -> str:
    """Have the system refuse the old value."""
    return rotating.kind.withdraw(rotating.change())


def is_withdrawn(rotating: Rotating, _scope: Scope) -> bool:
    return rotating.stages() == {Stage.RETIRED} or rotating.kind.is_withdrawn(rotating.change())


def readmit(rotating: Rotating, _scope: Scope) -> str:
    """Have the system accept the old value again, so that going back to it works."""
    if Stage.RETIRED in rotating.stages():
        raise _no_way_back(rotating)
    return rotating.kind.readmit(rotating.change())


def forget(rotating: Rotating, _scope: Scope) -> str:
    """Forget the old value: from here there is no way back."""
    rotating.versions.retire(rotating.names, rotating.run)
    return "PREVIOUS is forgotten"


def is_forgotten(rotating: Rotating, _scope: Scope) -> bool:
    return rotating.stages() == {Stage.RETIRED}


def tidy(rotating: Rotating, _scope: Scope) -> str:
    """Remove what was only needed for the way back."""
    return rotating.kind.tidy()


def is_tidied(rotating: Rotating, _scope: Scope) -> bool:
    return rotating.kind.is_tidied()


def plan_create(rotating: Rotating) -> Iterator[str]:
    yield f"{', '.join(rotating.names)} in {rotating.versions}"
    yield from rotating.kind.plan()


def plan_copy(rotating: Rotating) -> Iterator[str]:
    snapshots = Snapshots(rotating.site)
    keys = len(snapshots.recipient_keys)
    yield f"encrypted to {keys} keys" if keys else "backup.recipients is not declared, so no copy is kept"


def _runs_with(rotating: Rotating, change: Change) -> bool:
    """Whether the application runs with the new value of this change; where only it can tell, it is asked to use it."""
    told = rotating.consumers.renewed(change.new)
    if told is not None:
        return told
    try:
        rotating.kind.prove(change)
    except SystemFault:
        return False
    return True


def _copied(rotating: Rotating, part: str) -> str:
    site = rotating.fresh()
    try:
        copies = VariableCopies(Snapshots(site))
        if not copies.snapshots.recipient_keys:
            return "no copy of the variables is kept: backup.recipients is not declared"
        copy = copies.back_up(rotating.run, part=part)
        return f"the variables are kept in {copy.id}"
    finally:
        site.close()


def _no_way_back(rotating: Rotating) -> NeedsPerson:
    return NeedsPerson(
        "the old value has been forgotten, so there is no way back; the new one is CURRENT and in use",
        where=f"{rotating.names[0]} in {rotating.versions}",
        mend=f"invoke secrets.resume {rotating.names[0]}, which ends the run; then rotate again if you must",
    )
