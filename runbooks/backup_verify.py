"""``invoke backup.verify``: whether a snapshot in the store is what was put there."""

from __future__ import annotations

from runbooks.catalog import Opening, Prepared
from runbooks.engine.step import Conclusion, Runbook, Step
from runbooks.environment.site import Site
from runbooks.environment.snapshots import Snapshots
from runbooks.steps import inspection
from runbooks.steps.inspection import Inspecting

DAMAGED, UNDECIDED = 3, 4


def prepare(opening: Opening) -> Prepared:
    """Put the runbook together for one snapshot.

    Raises:
        InputError: there is no such snapshot.
    """
    site = Site(opening.environment, opening.redactor)
    snapshots = Snapshots(site)
    manifest = snapshots.shelf.find(opening.parameters["snapshot"])
    return Prepared(runbook(), Inspecting(snapshots, manifest, opening.run), site.close)


def runbook() -> Runbook[Inspecting]:
    """The procedure. That the bytes are right does not prove that they restore: `backup.restore` does."""
    return Runbook(
        name="backup.verify",
        title="Check a snapshot",
        changes=False,
        conclude=conclude,
        steps=(
            Step(
                name="objects",
                title="Read every object",
                act=inspection.check_objects,
                plan=inspection.plan_objects,
                seconds=12 * 3600,
            ),
            Step(
                name="archive", title="Read the archive's table of contents", act=inspection.check_archive, seconds=3600
            ),
            Step(name="record", title="Keep what was seen", act=inspection.record),
        ),
    )


def conclude(work: Inspecting) -> Conclusion:
    """Whether it is whole."""
    id, problems, unread = work.manifest.id, work.problems, work.unread
    if problems:
        line = f"DAMAGED {id}: {'; '.join(problems[:3])}"
        return Conclusion.saying("DAMAGED", line, DAMAGED, snapshot=id, problems=problems)
    if unread:
        line = f"UNDECIDED {id}: not read: {'; '.join(unread)}"
        return Conclusion.saying("UNDECIDED", line, UNDECIDED, snapshot=id, unread=unread)
    return Conclusion.saying("INTACT", f"INTACT {id}: {len(work.manifest.files)} objects", snapshot=id)
