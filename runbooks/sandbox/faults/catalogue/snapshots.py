"""Snapshots that are missing, old or damaged, and drills that were not done, failed, or missed their targets."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from runbooks.sandbox.faults import shelved
from runbooks.sandbox.faults.fault import Fault

FAULTS = (
    Fault(
        name="snapshot-old",
        breaks="postgres.backups-on",
        shows="the newest is 7",
        means=shelved.store(shelved.taken_earlier(timedelta(hours=72))),
    ),
    Fault(
        name="snapshot-of-tomorrow",
        breaks="postgres.backups-on",
        shows="yet to come",
        means=shelved.store(shelved.taken_earlier(-timedelta(hours=72))),
    ),
    Fault(
        name="snapshots-gone",
        breaks="postgres.backups-on",
        shows="there is none in folder",
        also=("recovery.backup-works",),
        means=shelved.store(shelved.without("snapshots")),
    ),
    Fault(
        name="snapshot-of-another-environment",
        breaks="postgres.backups-on",
        shows="is of production",
        means=shelved.store(shelved.manifests(lambda manifest: replace(manifest, environment="production"))),
    ),
    Fault(
        name="snapshot-manifest-damaged",
        breaks="recovery.backup-works",
        shows="this is no manifest",
        also=("postgres.backups-on",),
        verdict="unknown",
        means=shelved.store(shelved.damaged(shelved.truncate, "manifest.json")),
    ),
    Fault(
        name="snapshot-object-truncated",
        breaks="recovery.backup-works",
        shows="data/toc.dat has",
        means=shelved.store(shelved.damaged(shelved.truncate)),
    ),
    Fault(
        name="snapshot-bit-flipped",
        breaks="recovery.backup-works",
        shows="data/toc.dat: other bytes",
        means=shelved.store(shelved.damaged(shelved.flip)),
    ),
    Fault(
        name="snapshot-object-missing",
        breaks="recovery.backup-works",
        shows="contents.json is missing",
        means=shelved.store(shelved.damaged(Path.unlink, "contents.json")),
    ),
    Fault(
        name="drill-never-done",
        breaks="recovery.restore-tested",
        shows="no drill is in folder",
        also=("migrations.rollback-plan",),
        means=shelved.store(shelved.without("drills")),
    ),
    Fault(
        name="drill-old",
        breaks="recovery.restore-tested",
        shows="it is 101 days old",
        also=("migrations.rollback-plan",),
        means=shelved.store(shelved.drilled(lambda drill: replace(drill, ended=drill.ended - timedelta(days=101)))),
    ),
    Fault(
        name="drill-failed",
        breaks="recovery.restore-tested",
        shows="it failed: fetch: ",
        also=("migrations.rollback-plan",),
        means=shelved.store(shelved.drill_a_damaged_snapshot),
    ),
    Fault(
        name="drill-slow",
        breaks="recovery.restore-tested",
        shows="restoring took 10.0 min, over the target",
        means=shelved.store(shelved.drilled(lambda drill: replace(drill, rto=600.0))),
    ),
    Fault(
        name="drill-not-measured",
        breaks="recovery.restore-tested",
        shows="its time was not measured",
        means=shelved.store(shelved.drilled(lambda drill: replace(drill, rto=None))),
    ),
    Fault(
        name="drill-of-an-old-snapshot",
        breaks="recovery.restore-tested",
        shows="the newest snapshot was 49.0 h old, over the target",
        means=shelved.store(shelved.drilled(lambda drill: replace(drill, rpo=49 * 3600.0))),
    ),
    Fault(
        name="drill-of-another-server",
        breaks="recovery.restore-tested",
        shows="it was of PostgreSQL 15, the server is 18",
        means=shelved.store(shelved.drilled(lambda drill: replace(drill, server=15))),
    ),
    Fault(
        name="drill-of-another-schema",
        breaks="recovery.restore-tested",
        shows="it restored a schema at 20240101_elsewhere",
        also=("migrations.rollback-plan",),
        means=shelved.store(shelved.drilled(lambda drill: replace(drill, heads=("20240101_elsewhere",)))),
    ),
    Fault(
        name="drill-ledger-damaged",
        breaks="recovery.restore-tested",
        shows="the ledger can't be read",
        also=("migrations.rollback-plan",),
        verdict="unknown",
        means=shelved.store(shelved.spoil_drills),
    ),
)
