"""The way back after a disaster: whether the newest snapshot is whole, and whether one was seen to restore."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from runbooks.checks.declare import check
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed, unknown
from runbooks.environment.backup import Backup
from runbooks.systems.snapshots import drills, inspections
from runbooks.systems.snapshots.drills import FAILED, Drill
from runbooks.systems.snapshots.manifest import Manifest

VALID = timedelta(days=100)
"""A quarter, and a few days to do it in."""

READING_SECONDS = 40.0
"""So long objects are read to their end; a larger snapshot is read by ``backup.verify``, which keeps what it saw."""


@check(
    "recovery.backup-works",
    severity=Severity.CRITICAL,
    evidence=Evidence.PROBE,
    target="store",
    seconds=READING_SECONDS + 20,
)
def backup_works(subject: Subject) -> Finding:
    shelf, name = subject.site.shelf, subject.environment.name
    expected = "every object of the newest snapshot is there, with the bytes that were written"
    known = shelf.ids()
    manifest = shelf.manifest(known[-1]) if known else None
    if manifest is None:
        return failed(expected, f"there is no snapshot in {shelf}", f"invoke backup.create --env {name}")
    problems = [problem for file in manifest.files if (problem := shelf.misfit(manifest, file))]
    read, deadline = 0, time.monotonic() + READING_SECONDS
    for file in sorted(manifest.files, key=lambda file: file.size) if not problems else ():
        if time.monotonic() > deadline:
            break
        problems += [problem] if (problem := shelf.problem(manifest, file)) else []
        read += 1
    if problems:
        more = f"; and {len(problems) - 3} more" if len(problems) > 3 else ""
        found = f"{manifest.id}: {'; '.join(problems[:3])}{more}"
        return failed(expected, found, f"invoke backup.create --env {name}, and find out what damaged {shelf}")
    told = f"{manifest.id}: {len(manifest.files)} objects, {manifest.stored / 1e6:.1f} MB"
    if read == len(manifest.files):
        return passed(expected, f"{told}, all read")
    seen = _read_before(subject, manifest)
    if seen:
        return passed(expected, f"{told}; {read} read now, all of them {seen}")
    mend = f"invoke backup.verify --env {name} reads all of it and keeps what it saw"
    return unknown(expected, f"{told}: {read} could be read in time, and nobody has read the others", mend)


def _read_before(subject: Subject, manifest: Manifest) -> str:
    """Who has read all of the snapshot before, and found it intact; nothing: nobody has."""
    store = subject.site.shelf.store
    inspection = inspections.of_snapshot(store, manifest.id)
    if inspection and not inspection.problems:
        return f"by run {inspection.run}"
    for drill in drills.readable(store)[0]:
        if drill.snapshot == manifest.id and drill.verdict != FAILED:
            return f"by run {drill.run}"
    return ""


@check("recovery.restore-tested", severity=Severity.CRITICAL, evidence=Evidence.LEDGER, target="postgres")
def restore_tested(subject: Subject) -> Finding:
    backup, store = subject.environment.backup, subject.site.shelf.store
    expected = (
        f"the last drill, at most {VALID.days} days ago, proved a restore of this server and schema{_targets(backup)}"
    )
    mend = f"invoke backup.drill --env {subject.environment.name}"
    known, damage = drills.readable(store)
    if damage:
        return unknown(expected, f"the ledger can't be read: {'; '.join(damage[:3])}", "compare it with a copy")
    if not known:
        return failed(expected, f"no drill is in {store}", mend)
    drill = known[-1]
    told = f"{drill.snapshot} on {drill.ended:%Y-%m-%d}, run {drill.run}"
    wrong = _wrong(drill, backup) or _foreign(subject, drill)
    if wrong:
        return failed(expected, f"{told}: {wrong}", f"invoke runs.show {drill.run}; {mend}")
    rto = f"RTO {drill.rto:.0f} s" if drill.rto is not None else "RTO not measured"
    return passed(expected, f"{told}: {drill.tables} tables with {drill.rows} rows, {rto}")


def _targets(backup: Backup) -> str:
    within = [f"RTO {backup.rto_minutes} min"] if backup.rto_minutes else []
    within += [f"RPO {backup.rpo_hours} h"] if backup.rpo_hours else []
    return f" within {' and '.join(within)}" if within else ""


def _wrong(drill: Drill, backup: Backup) -> str:
    """Why a drill does not count, or nothing. The targets are those of now, not those of its day."""
    age = datetime.now(UTC) - drill.ended
    if drill.verdict == FAILED:
        return f"it failed: {'; '.join(drill.found[:3]) or 'no reason was kept'}"
    if age > VALID:
        return f"it is {age.days} days old"
    if backup.rto_minutes and drill.rto is None:
        return "its time was not measured, because it was interrupted"
    if backup.rto_minutes and drill.rto is not None and drill.rto > backup.rto_minutes * 60:
        return f"restoring took {drill.rto / 60:.1f} min, over the target"
    if backup.rpo_hours and drill.rpo is not None and drill.rpo > backup.rpo_hours * 3600:
        return f"the newest snapshot was {drill.rpo / 3600:.1f} h old, over the target"
    return ""


def _foreign(subject: Subject, drill: Drill) -> str:
    """How a drill was of another server or schema than those of now, or nothing."""
    major = int(subject.site.database.value("SHOW server_version_num")) // 10000
    if drill.server != major:
        return f"it was of PostgreSQL {drill.server}, the server is {major}"
    strange = sorted(set(drill.heads) - subject.site.source.revisions())
    return f"it restored a schema at {', '.join(strange)}, which the release does not know" if strange else ""
