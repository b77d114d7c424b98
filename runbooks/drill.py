"""``invoke backup.drill``: the proof that a snapshot restores, and how long that takes."""

from __future__ import annotations

from dataclasses import replace

from runbooks.catalog import Opening, Prepared
from runbooks.engine.step import Conclusion, Runbook, Step
from runbooks.environment.site import Site
from runbooks.environment.snapshots import Snapshots
from runbooks.steps import asking, drill_server, drilling, proof, restoration
from runbooks.steps.drilling import START, Drilling, timed, unless_over, unless_recorded
from runbooks.systems.snapshots.drills import PROVEN

MISSED = 3


def prepare(opening: Opening) -> Prepared:
    """Put the runbook together for one snapshot.

    Raises:
        InputError: there is no such snapshot.
    """
    site = Site(opening.environment, opening.redactor)
    snapshots = Snapshots(site)
    manifest = snapshots.shelf.find(opening.parameters["snapshot"])
    database = snapshots.database
    work = Drilling(snapshots, manifest, opening.run)
    if not opening.parameters.get("cluster"):
        return Prepared(runbook(), work, site.close)
    cluster = snapshots.cluster(work.tail, manifest.major)
    work = replace(work, snapshots=Snapshots(site, cluster.access(database)), cluster=cluster)
    return Prepared(cluster_runbook(), work, site.close)


def runbook() -> Runbook[Drilling]:
    """The procedure: a restore, with the new database thrown away at the end."""
    return Runbook(
        name="backup.drill",
        title="Drill the restore of a snapshot",
        changes=True,
        overtakes=False,
        conclude=conclude,
        steps=(
            Step(name="look", title="See whether it can be restored here", act=restoration.look, seconds=600),
            Step(
                name="fetch",
                title="Fetch the archive, and check every byte",
                act=timed("fetch", restoration.fetch),
                done=unless_over(restoration.fetched),
                undo=restoration.forget,
                plan=restoration.plan_fetch,
                seconds=restoration.SECONDS,
            ),
            Step(
                name="create-sibling",
                title="Make an empty database beside the live one",
                act=timed("create-sibling", restoration.create),
                done=unless_over(restoration.created),
                undo=restoration.drop,
                seconds=300,
            ),
            *proving(),
            Step(
                name="remove",
                title="Drop the restored database",
                act=drilling.remove,
                done=drilling.removed,
                seconds=300,
            ),
            record_failure(),
        ),
    )


def cluster_runbook() -> Runbook[Drilling]:
    """The same in a server of the drill's own, which is removed with its database."""
    return Runbook(
        name="backup.drill",
        title="Drill the restore of a snapshot into a server of its own",
        changes=True,
        overtakes=False,
        conclude=conclude,
        steps=(
            Step(name="look", title="See whether it can be restored here", act=drill_server.look, seconds=600),
            Step(
                name="fetch",
                title="Fetch the archive, and check every byte",
                act=timed("fetch", restoration.fetch),
                done=unless_over(drill_server.fetched),
                undo=restoration.forget,
                plan=drill_server.plan_fetch,
                seconds=restoration.SECONDS,
            ),
            Step(
                name=START,
                title="Start a server of its own, which only this drill can reach",
                act=timed(START, drill_server.start),
                done=unless_over(drill_server.started),
                undo=drill_server.remove,
                plan=drill_server.plan_start,
                seconds=300,
            ),
            Step(
                name="create-sibling",
                title="Make an empty database in it",
                act=timed("create-sibling", restoration.create),
                done=unless_over(restoration.created),
                seconds=300,
            ),
            *proving(),
            Step(
                name="remove",
                title="Remove the server, the database and the archive",
                act=drill_server.remove,
                done=drill_server.removed,
                seconds=300,
            ),
            record_failure(),
        ),
    )


def proving() -> tuple[Step[Drilling], ...]:
    """From an empty database to a drill that is kept."""
    return (
        Step(
            name="fill",
            title="Restore the archive into it",
            act=timed("fill", restoration.fill),
            done=unless_over(restoration.filled),
            plan=restoration.plan_fill,
            seconds=restoration.SECONDS,
        ),
        Step(
            name="prove",
            title="Compare it with what was copied, and test the comparison",
            act=timed("prove", drilling.prove),
            done=unless_over(proof.proven),
            seconds=restoration.SECONDS,
        ),
        Step(
            name="ask",
            title="Ask it what the application asks",
            act=timed("ask", unless_recorded(asking.ask)),
            seconds=600,
        ),
        Step(
            name="record",
            title="Keep what the drill came to",
            act=drilling.record,
            done=drilling.is_recorded,
        ),
    )


def record_failure() -> Step[Drilling]:
    """The last step, also of a drill that failed."""
    return Step(
        name="record-failure",
        title="Keep that it failed, if it did",
        act=drilling.record_failure,
        always=True,
    )


def conclude(work: Drilling) -> Conclusion:
    """What it came to."""
    drill = work.recorded()
    assert drill, "it is recorded by now"
    took = f"{drill.rto:.1f} s" if drill.rto is not None else "not measured"
    line = f"{drill.verdict.upper()} {drill.snapshot}: {drill.tables} tables with {drill.rows} rows; RTO {took}"
    if drill.verdict == PROVEN:
        return Conclusion.saying(drill.verdict.upper(), line, snapshot=drill.snapshot)
    return Conclusion.saying(
        drill.verdict.upper(), f"{line}; {'; '.join(drill.found)}", MISSED, snapshot=drill.snapshot
    )
