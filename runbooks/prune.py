"""``invoke backup.prune``: snapshots that need not be kept any more, and what killed runs have left, removed."""

from __future__ import annotations

from runbooks.catalog import Opening, Prepared
from runbooks.engine.step import Conclusion, Runbook, Step
from runbooks.environment.site import Site
from runbooks.environment.snapshots import Snapshots
from runbooks.steps import pruning, pruning_copies, side_tables
from runbooks.steps.pruning import Pruning

INCOMPLETE = 4
SECONDS = 4 * 3600.0


def prepare(opening: Opening) -> Prepared:
    """Put the runbook together for an environment.

    Raises:
        InputError: the database's URL can't be read.
    """
    site = Site(opening.environment, opening.redactor)
    snapshots = Snapshots(site)
    _ = snapshots.database
    return Prepared(runbook(), Pruning(snapshots, opening.run, opening.runs), site.close)


def runbook() -> Runbook[Pruning]:
    """The procedure. What is removed can't be brought back, so no step has an undo; killed, it is begun again."""
    return Runbook(
        name="backup.prune",
        title="Remove snapshots that need not be kept",
        changes=True,
        overtakes=False,
        conclude=conclude,
        steps=(
            Step(name="look", title="See what speaks for each snapshot", act=pruning.look, seconds=600),
            Step(
                name="remove-snapshots",
                title="Remove those that nothing speaks for, each one's manifest first",
                before=pruning.noted_snapshots,
                act=pruning.remove_snapshots,
                done=pruning.snapshots_removed,
                plan=pruning.plan_snapshots,
                seconds=SECONDS,
            ),
            Step(
                name="remove-unfinished",
                title="Remove uploads that did not come to their end",
                before=pruning.noted_remains,
                act=pruning.remove_remains,
                done=pruning.remains_removed,
                plan=pruning.plan_remains,
                seconds=SECONDS,
            ),
            Step(
                name="remove-copies",
                title="Remove copies of the variables that nothing needs, each one's manifest first",
                before=pruning_copies.noted,
                act=pruning_copies.remove,
                done=pruning_copies.removed,
                plan=pruning_copies.plan,
                seconds=SECONDS,
            ),
            Step(
                name="drop-scratch",
                title="Drop databases that killed restores and drills have left",
                before=pruning.noted_scratch,
                act=pruning.drop_scratch,
                done=pruning.scratch_dropped,
                plan=pruning.plan_scratch,
                seconds=600,
            ),
            Step(
                name="drop-side-tables",
                title="Drop tables that killed rotations of ENCRYPTION_KEY have left",
                before=side_tables.noted,
                act=side_tables.drop,
                done=side_tables.dropped,
                plan=side_tables.plan,
                seconds=600,
            ),
            Step(
                name="remove-servers",
                title="End servers that killed drills have left, and remove their folders",
                before=pruning.noted_servers,
                act=pruning.remove_servers,
                done=pruning.servers_removed,
                plan=pruning.plan_servers,
                seconds=600,
            ),
            Step(
                name="clear-work",
                title="Remove their dumps and archives from this machine",
                before=pruning.noted_folders,
                act=pruning.remove_folders,
                done=pruning.folders_removed,
                plan=pruning.plan_folders,
                seconds=600,
            ),
        ),
    )


def conclude(work: Pruning) -> Conclusion:
    """What was removed, and what could not be."""
    removed = ", ".join(f"{count} {kind}" for kind, count in work.removed.items() if count) or "nothing"
    line = f"{work.snapshots.environment.label}: {removed} removed; {len(work.shelf.ids())} snapshots in {work.shelf}"
    if not work.failed:
        return Conclusion.saying("PRUNED", f"PRUNED {line}", removed=work.removed)
    wrong = "; ".join(f"{name}: {why}" for name, why in work.failed.items())
    return Conclusion.saying("INCOMPLETE", f"INCOMPLETE {line}; {wrong}", INCOMPLETE, failed=work.failed)
