"""``invoke secrets.rotate NAME``: a new value for a secret, in use and proven, before the old one is forgotten."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from runbooks import rotation
from runbooks.catalog import Opening, Prepared
from runbooks.engine.confirm import confirm
from runbooks.engine.step import Conclusion, Runbook, Step
from runbooks.environment.site import Site
from runbooks.given import Given
from runbooks.options import number
from runbooks.steps.rotation import protocol, recording
from runbooks.steps.rotation.rotating import Rotating

WAITING = 24 * 3600.0


def prepare(opening: Opening) -> Prepared:
    """Put the runbook together for one secret.

    Raises:
        InputError: nobody knows how to rotate it, or the inventory lacks what that needs.
    """
    environment = opening.environment

    def fresh() -> Site:
        return Site(environment, opening.redactor, os.environ)

    site = fresh()
    name = opening.parameters["name"]
    given = Given(name, opening.parameters.get("command"))
    kind = rotation.kind_of(name, site, opening.run, given)
    rotating = Rotating(
        site=site,
        run=opening.run,
        kind=kind,
        versions=rotation.versions_of(name, site),
        consumers=rotation.consumers_of(site, kind, opening),
        fresh=fresh,
        patience=number(opening.parameters.get("wait"), "--wait", default=rotation.PATIENCE),
    )

    def accept(stream: TextIO) -> None:
        accept_cost(kind.cost(), opening.parameters.get("accept"), stream)
        kind.ask()

    return Prepared(runbook(), rotating, site.close, accept)


def accept_cost(cost: int | None, given: str | None, stream: TextIO) -> None:
    """Have it typed how many users are logged out.

    Args:
        cost: How many; None: nobody.
        given: ``--accept N``: as many as that may be.

    Raises:
        InputError: it was not accepted; nothing was done.
    """
    if cost is None:
        return
    if given is not None and given.strip().isdecimal() and int(given) >= cost:
        return
    confirm(
        str(cost),
        [f"This logs out up to {cost} users."],
        given=given,
        ask=input if sys.stdin.isatty() else None,
        show=lambda line: print(line, file=stream),
        option="--accept",
    )


def runbook() -> Runbook[Rotating]:
    """The procedure. It can be taken back, last step first, until the old value is forgotten."""
    return Runbook(
        name="secrets.rotate",
        title="Rotate a secret",
        changes=True,
        back_in_order=True,
        conclude=conclude,
        steps=(
            Step(name="look", title="See whether it can be rotated now", act=protocol.look, seconds=300),
            Step(
                name="copy-before",
                title="Keep an encrypted copy of the variables as they are",
                act=protocol.copy_before,
                plan=protocol.plan_copy,
            ),
            Step(
                name="create",
                title="Make a new value, and keep it as PENDING",
                act=protocol.create,
                done=protocol.is_created,
                undo=protocol.discard,
                plan=protocol.plan_create,
                seconds=600,
            ),
            Step(
                name="set",
                title="Have the system accept it",
                act=protocol.set_,
                done=protocol.is_set,
                undo=protocol.unset,
                seconds=WAITING,
            ),
            Step(name="test", title="Use it as the application will", act=protocol.test, seconds=300),
            Step(
                name="promote",
                title="Make it CURRENT, and the old one PREVIOUS",
                act=protocol.promote,
                done=protocol.is_promoted,
                undo=protocol.demote,
                seconds=3600,
            ),
            Step(
                name="switch",
                title="Change what has to change together with the application",
                act=protocol.switch,
                done=protocol.is_switched,
                undo=protocol.switch_back,
                seconds=3600,
            ),
            Step(
                name="renew",
                title="Have whatever uses it run with the new one",
                act=protocol.renew,
                done=protocol.is_renewed,
                seconds=3600,
            ),
            Step(name="prove", title="Have the application use it", act=protocol.prove, seconds=300),
            Step(name="copy-after", title="Keep an encrypted copy of the new variables", act=protocol.copy_after),
            Step(
                name="record",
                title="Say in the ledger that the release runs with it",
                act=recording.record,
                done=recording.is_recorded,
                undo=recording.withdraw,
            ),
            Step(name="wait", title="Wait until nobody uses the old one", act=protocol.wait, seconds=WAITING),
            Step(
                name="withdraw",
                title="Have the system refuse the old one",
                act=protocol.withdraw,
                done=protocol.is_withdrawn,
                undo=protocol.readmit,
                seconds=300,
            ),
            Step(
                name="forget",
                title="Forget the old one: from here there is no way back",
                before=protocol.note_old,
                act=protocol.forget,
                done=protocol.is_forgotten,
                undo=protocol.forgotten,
                seconds=300,
            ),
            Step(
                name="tidy",
                title="Remove what the way back needed",
                act=protocol.tidy,
                done=protocol.is_tidied,
                seconds=600,
            ),
        ),
    )


def conclude(rotating: Rotating) -> Conclusion:
    """What is in use now."""
    label = rotating.site.environment.label
    line = f"ROTATED {', '.join(rotating.names)} of {label}: the new value is in use, {rotating.kind.ending}"
    return Conclusion.saying("ROTATED", line, names=list(rotating.names))
