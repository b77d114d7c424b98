"""The protocol of a rotation, one effect a function, for whatever kind of secret.

    create -> set -> test -> promote -> switch -> renew -> prove -> wait -> withdraw -> forget

Each effect is asked of the world whether it happened, so it can be killed anywhere and resumed; and taken back, last
first, until the old value is forgotten. At any moment exactly one value is CURRENT.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from runbooks.engine.errors import NeedsPerson, Reason, SystemFault
from runbooks.engine.step import Scope, State
from runbooks.environment.snapshots import Snapshots
from runbooks.environment.variable_copies import VariableCopies
from runbooks.steps.rotation.rotating import Rotating
from runbooks.systems.secrets.versions import Stage

BEFORE, AFTER, BACK = "1-before", "2-after", "3-back"
"""The copies of the variables that a rotation makes; their names keep them in order."""

STAYS = "the old value has been forgotten, so the new one stays CURRENT and in use"
"""What going back comes to once there is no way back."""

EVERY = 0.5
"""Seconds between two looks at who uses the old value."""


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
    if Stage.RETIRED in rotating.stages():
        return STAYS
    done = rotating.versions.discard(rotating.names, rotating.run)
    return f"{'the new value is forgotten' if done else 'there is no new value'}; {rotating.kind.unmake()}"


def set_(rotating: Rotating, scope: Scope) -> str:
    """Have the system accept the new value."""
    return rotating.kind.set(rotating.change(), scope)


def is_set(rotating: Rotating, _scope: Scope) -> bool:
    return rotating.stages() != {Stage.PENDING} or rotating.kind.is_set(rotating.change())


def unset(rotating: Rotating, _scope: Scope) -> str:
    """Have the system as it was; only while the old value is CURRENT, or the application would be cut off."""
    if Stage.RETIRED in rotating.stages():
        return STAYS
    if rotating.stages() != {Stage.PENDING}:
        raise _not_back_yet(rotating)
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


def demote(rotating: Rotating, scope: Scope) -> str:
    """Make PREVIOUS CURRENT again, and have the application run with it.

    Raises:
        NeedsPerson: only a person can start it anew. Until that is done nothing else is taken back.
    """
    if Stage.RETIRED in rotating.stages():
        return f"{STAYS}; {tidy(rotating, scope)}"
    rotating.versions.demote(rotating.names, rotating.run)
    if rotating.stages() == {Stage.NONE}:
        return "it was never CURRENT"
    change = rotating.change()
    back = change.reversed()
    if not rotating.consumers.renewed(back):
        rotating.consumers.renew(back, scope)
    if not rotating.consumers.renewed(back):
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
    if Stage.RETIRED in rotating.stages():
        return STAYS
    return rotating.kind.switch_back(rotating.change())


def renew(rotating: Rotating, scope: Scope) -> str:
    """Have whatever uses the secret run with the new value."""
    return rotating.consumers.renew(rotating.change(), scope)


def is_renewed(rotating: Rotating, _scope: Scope) -> bool:
    return rotating.stages() == {Stage.RETIRED} or rotating.consumers.renewed(rotating.change())


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
        return STAYS
    return rotating.kind.readmit(rotating.change())


def note_old(rotating: Rotating) -> State:
    """What it takes to remove the old value where it was made.

    Raises:
        NeedsPerson: it can't be told, or not now.
    """
    if rotating.stages() == {Stage.RETIRED}:
        return {}
    try:
        return rotating.kind.note(rotating.change())
    except SystemFault as fault:
        raise _waits(rotating, "the old value can't be looked up where it was made", fault) from fault


def forget(rotating: Rotating, scope: Scope) -> str:
    """Forget the old value, and remove it where it was made: from here there is no way back.

    Raises:
        NeedsPerson: it can't be removed there now. All else is done, so that is no reason to take anything back.
    """
    rotating.versions.retire(rotating.names, rotating.run)
    try:
        return f"PREVIOUS is forgotten; {rotating.kind.remove(scope.before)}"
    except SystemFault as fault:
        raise _waits(rotating, "the old value can't be removed where it was made", fault) from fault


def is_forgotten(rotating: Rotating, scope: Scope) -> bool:
    """Raises as `forget`."""
    if rotating.stages() != {Stage.RETIRED}:
        return False
    try:
        return rotating.kind.is_removed(scope.before)
    except SystemFault as fault:
        raise _waits(rotating, "whether the old value was removed where it was made can't be told", fault) from fault


def forgotten(rotating: Rotating, scope: Scope) -> str:
    """There is no way back: what was forgotten is removed where it was made, too."""
    if Stage.RETIRED not in rotating.stages():
        return "it was not forgotten"
    return f"{STAYS}; {rotating.kind.remove(scope.before)}"


def tidy(rotating: Rotating, scope: Scope) -> str:
    """Remove what was only needed for the way back."""
    return f"{rotating.kind.tidy()}; {rotating.consumers.forget(rotating.current(), scope)}"


def is_tidied(rotating: Rotating, _scope: Scope) -> bool:
    return rotating.kind.is_tidied() and rotating.consumers.forgotten(rotating.current())


def plan_create(rotating: Rotating) -> Iterator[str]:
    yield f"{', '.join(rotating.names)} in {rotating.versions}"
    yield from rotating.kind.plan()


def plan_copy(rotating: Rotating) -> Iterator[str]:
    if not rotating.kind.deployed:
        return
    snapshots = Snapshots(rotating.site)
    keys = len(snapshots.recipient_keys)
    yield f"encrypted to {keys} keys" if keys else "backup.recipients is not declared, so no copy is kept"


def _copied(rotating: Rotating, part: str) -> str:
    if not rotating.kind.deployed:
        return "it is no variable of the application's, so it is in no copy of them"
    site = rotating.fresh()
    try:
        copies = VariableCopies(Snapshots(site))
        if not copies.snapshots.recipient_keys:
            return "no copy of the variables is kept: backup.recipients is not declared"
        # Once made it stays: on resume the variables may be others already.
        copy = copies.made_by(rotating.run, part) or copies.back_up(rotating.run, part=part)
        return f"the variables are kept in {copy.id}"
    finally:
        site.close()


def _waits(rotating: Rotating, what: str, fault: SystemFault) -> NeedsPerson:
    name = rotating.names[0]
    return NeedsPerson(
        what, where=fault.where, found=f"{fault.what} ({fault.found})", mend=f"then: invoke secrets.resume {name}"
    )


def _not_back_yet(rotating: Rotating) -> NeedsPerson:
    return NeedsPerson(
        "the old value is not CURRENT again, so the new one is not taken away",
        where=f"{rotating.names[0]} in {rotating.versions}",
        mend=f"invoke secrets.status, then: invoke runs.abort {rotating.run}",
    )
