"""``invoke backup.restore``: a snapshot restored into a database beside the live one, and proven equal to it."""

from __future__ import annotations

from runbooks.catalog import Opening, Prepared
from runbooks.engine.step import Conclusion, Runbook, Step
from runbooks.environment.site import Site
from runbooks.environment.snapshots import Snapshots
from runbooks.steps import proof, restoration
from runbooks.steps.restoring import Restoring


def prepare(opening: Opening) -> Prepared:
    """Put the runbook together for one snapshot.

    Raises:
        InputError: there is no such snapshot.
    """
    site = Site(opening.environment, opening.redactor)
    snapshots = Snapshots(site)
    manifest = snapshots.shelf.find(opening.parameters["snapshot"])
    _ = snapshots.database
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
        ),
    )


def conclude(restoring: Restoring) -> Conclusion:
    """Where the restored database is."""
    manifest, sibling = restoring.manifest, restoring.sibling
    line = f"PROVEN {sibling} equals snapshot {manifest.id}: {manifest.tables} tables with {manifest.rows} rows"
    return Conclusion.saying("PROVEN", line, snapshot=manifest.id, database=sibling)
