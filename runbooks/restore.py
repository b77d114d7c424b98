"""``invoke backup.restore``: a snapshot restored into a database beside the live one, and proven equal to it.

With ``--switch`` the proven database then takes the live one's place, which is kept in quarantine.
"""

from __future__ import annotations

from typing import Any

from runbooks.catalog import Opening, Prepared
from runbooks.engine.step import Conclusion, Runbook, Step
from runbooks.environment.site import Site
from runbooks.environment.snapshots import Snapshots
from runbooks.steps import proof, rekeying, restoration, switching
from runbooks.steps.restoring import Restoring
from runbooks.steps.switching import Switching


def prepare(opening: Opening) -> Prepared:
    """Put the runbook together for one snapshot.

    Raises:
        InputError: there is no such snapshot.
    """
    site = Site(opening.environment, opening.redactor)
    snapshots = Snapshots(site)
    manifest = snapshots.shelf.find(opening.parameters["snapshot"])
    _ = snapshots.database
    if opening.parameters.get("switch"):
        return Prepared(switching_runbook(), Switching(snapshots, manifest, opening.run), site.close)
    return Prepared(runbook(), Restoring(snapshots, manifest, opening.run), site.close)


def runbook() -> Runbook[Restoring]:
    """The procedure. The live database is neither written nor renamed."""
    return Runbook(
        name="backup.restore",
        title="Restore a snapshot into a new database",
        changes=True,
        conclude=conclude,
        steps=(
            Step(name="look", title="See whether it can be restored here", act=restoration.look, seconds=600),
            *restoring(),
            Step(
                name="keys",
                title="See whether the application could open users' keys in it",
                act=rekeying.report,
                seconds=restoration.SECONDS,
            ),
        ),
    )


def switching_runbook() -> Runbook[Switching]:
    """The same, and then the switch."""
    return Runbook(
        name="backup.restore",
        title="Restore a snapshot, and put it in the place of the live database",
        changes=True,
        conclude=conclude_switch,
        steps=(
            Step(name="look", title="See whether it can be restored and put there", act=switching.look, seconds=600),
            *restoring(),
            rekeying_step(),
            *switch_steps(),
        ),
    )


def restoring() -> tuple[Step[Any], ...]:
    """From the store to a database beside the live one that is proven equal to what was copied."""
    return (
        Step(
            name="fetch",
            title="Fetch the archive, and check every byte",
            act=restoration.fetch,
            done=restoration.fetched,
            undo=restoration.forget,
            plan=restoration.plan_fetch,
            seconds=restoration.SECONDS,
        ),
        Step(
            name="create-sibling",
            title="Make an empty database beside the live one",
            act=restoration.create,
            done=restoration.created,
            undo=restoration.drop,
            seconds=300,
        ),
        Step(
            name="fill",
            title="Restore the archive into it",
            act=restoration.fill,
            done=restoration.filled,
            plan=restoration.plan_fill,
            seconds=restoration.SECONDS,
        ),
        Step(
            name="prove",
            title="Compare it with what was copied, table by table",
            act=proof.prove,
            done=proof.proven,
            seconds=restoration.SECONDS,
        ),
        Step(
            name="tidy",
            title="Remove the archive from this machine",
            act=restoration.forget,
            done=restoration.forgotten,
        ),
    )


def rekeying_step() -> Step[Any]:
    """Ahead of a switch, as late as the application goes on: nothing has been closed yet."""
    return Step(
        name="rekey",
        title="Have users' keys in it under the ENCRYPTION_KEY of now",
        act=rekeying.rekey,
        done=rekeying.rekeyed,
        plan=rekeying.plan,
        seconds=restoration.SECONDS,
    )


def switch_steps() -> tuple[Step[Any], ...]:
    """The restored database becomes the live one. During the switch whoever connects waits."""
    return (
        Step(
            name="switch",
            title="Put the restored database in its place, and keep it in quarantine",
            act=switching.switch,
            done=switching.switched,
            undo=switching.switch_back,
            plan=switching.plan_switch,
            seconds=60,
        ),
        Step(name="probe", title="Connect as the application does", act=switching.probe, attempts=3),
    )


def conclude(restoring: Restoring) -> Conclusion:
    """Where the restored database is."""
    manifest, sibling = restoring.manifest, restoring.sibling
    line = f"PROVEN {sibling} equals snapshot {manifest.id}: {manifest.tables} tables with {manifest.rows} rows"
    return Conclusion.saying("PROVEN", line, snapshot=manifest.id, database=sibling)


def conclude_switch(work: Switching) -> Conclusion:
    """Which database is the live one, and where the one before is."""
    manifest = work.manifest
    holds = f"snapshot {manifest.id}, {manifest.tables} tables with {manifest.rows} rows"
    line = f"SWITCHED {work.live} is {holds}; what was is kept as {work.aside}"
    return Conclusion.saying("SWITCHED", line, snapshot=manifest.id, database=work.live, quarantine=work.aside)
