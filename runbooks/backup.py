"""``invoke backup.create``: a snapshot of the database that a restore can be compared with."""

from __future__ import annotations

from runbooks.catalog import Opening, Prepared
from runbooks.engine.step import Conclusion, Runbook, Step
from runbooks.environment.site import Site
from runbooks.environment.snapshots import Snapshots
from runbooks.steps import snapshot
from runbooks.steps.making import Making, size


def prepare(opening: Opening) -> Prepared:
    """Put the runbook together for an environment.

    Raises:
        InputError: the database's URL can't be read.
    """
    site = Site(opening.environment, opening.redactor)
    snapshots = Snapshots(site)
    _ = snapshots.database  # said before a run begins
    return Prepared(runbook(), Making(snapshots, opening.run, site.commit), site.close)


def runbook() -> Runbook[Making]:
    """The procedure."""
    return Runbook(
        name="backup.create",
        title="Take a snapshot of the database",
        changes=True,
        overtakes=False,
        conclude=conclude,
        steps=(
            Step(name="look", title="See what there is to dump, and with what", act=snapshot.look),
            Step(
                name="dump",
                title="Dump the database, and fingerprint it at the same moment",
                act=snapshot.dump,
                done=snapshot.dumped,
                undo=snapshot.discard,
                plan=snapshot.plan_dump,
                seconds=snapshot.SECONDS,
            ),
            Step(
                name="upload",
                title="Put the dump into the store",
                act=snapshot.upload,
                done=snapshot.uploaded,
                undo=snapshot.remove,
                plan=snapshot.plan_upload,
                seconds=snapshot.SECONDS,
            ),
            Step(
                name="publish",
                title="Write the manifest, which makes it a snapshot",
                act=snapshot.publish,
                done=snapshot.is_published,
                undo=snapshot.remove,
            ),
            Step(name="tidy", title="Remove the dump from this machine", act=snapshot.tidy, done=snapshot.tidied),
        ),
    )


def conclude(making: Making) -> Conclusion:
    """Which snapshot there is now."""
    manifest = making.shelf.manifest(making.id)
    assert manifest, "it is published"
    line = (
        f"SNAPSHOT {manifest.id} of {making.snapshots.environment.label}: {manifest.tables} tables with"
        f" {manifest.rows} rows, {size(manifest.stored)} in {making.shelf}"
    )
    return Conclusion.saying("SNAPSHOT", line, snapshot=manifest.id)
