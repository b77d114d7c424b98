"""A past of releases that leaves no way back, and a release that staging has not seen."""

from __future__ import annotations

from datetime import timedelta

from runbooks.sandbox.faults import means, released, shelved
from runbooks.sandbox.faults.fault import Fault

NEVER = "rollback.rehearsed"
"""Also red where a made-up past holds no rollback."""

FAULTS = (
    Fault(
        name="release-without-variables",
        breaks="rollback.variables-kept",
        shows="was deployed without a copy",
        also=(NEVER,),
        means=released.recorded(released.without_copy),
    ),
    Fault(
        name="staging-behind",
        breaks="migrations.tested-in-staging",
        shows="local-staging runs ",
        also=("migrations.run-on-deploy",),
        means=released.placed("v2"),
    ),
    Fault(
        name="staging-release-bad",
        breaks="migrations.tested-in-staging",
        shows=" is bad",
        means=released.marked_bad_in_staging(),
    ),
    Fault(
        name="destructive-migration-never-rehearsed",
        breaks="migrations.rollback-plan",
        shows="20251029_personalization is contracting, ",
        also=("recovery.restore-tested",),
        means=means.both(means.placed("destructive-migration"), shelved.store(shelved.without("drills"))),
    ),
    Fault(
        name="rollback-never-rehearsed",
        breaks="rollback.rehearsed",
        shows="nobody has gone back here or in local-staging yet",
        means=released.recorded(),
    ),
    Fault(
        name="rollback-rehearsed-long-ago",
        breaks="rollback.rehearsed",
        shows=", 101 days ago",
        means=released.recorded(went_back=timedelta(days=101)),
    ),
    Fault(
        name="previous-release-gone",
        breaks="rollback.rehearsed",
        shows="does not have before any more, and nobody has its commit aaaaaaaaaaaa",
        means=released.recorded(released.built_nowhere, went_back=timedelta(days=1)),
    ),
    Fault(
        name="rollback-snapshot-damaged",
        breaks="rollback.database-restorable",
        shows="data/toc.dat: other bytes",
        also=("recovery.backup-works",),
        means=means.both(
            released.recorded(after=released.over_newest_snapshot, went_back=timedelta(days=1)),
            shelved.store(shelved.damaged(shelved.flip)),
        ),
    ),
    Fault(
        name="rollback-snapshot-gone",
        breaks="rollback.database-restorable",
        shows="20200101T000000Z-lost",
        means=released.recorded(after=released.over_lost_snapshot, went_back=timedelta(days=1)),
    ),
    Fault(
        name="migrated-without-snapshot",
        breaks="rollback.database-restorable",
        shows="and the schema has been migrated since",
        means=released.recorded(after=released.migrated_without_snapshot, went_back=timedelta(days=1)),
    ),
)
