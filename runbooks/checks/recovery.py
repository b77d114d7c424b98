"""The way back after a disaster: whether the newest snapshot is whole, and whether one was seen to restore."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from runbooks.checks import reading
from runbooks.checks.declare import check
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed, unknown
from runbooks.environment.backup import Backup
from runbooks.systems.snapshots import drills
from runbooks.systems.snapshots.drills import FAILED, Drill

VALID = timedelta(days=100)
"""A quarter, and a few days to do it in."""


@check(
    "recovery.backup-works",
    severity=Severity.CRITICAL,
    evidence=Evidence.PROBE,
    target="store",
    seconds=reading.SECONDS + 20,
)
def backup_works(subject: Subject) -> Finding:
    shelf, name = subject.site.shelf, subject.environment.name
    expected = "every object of the newest snapshot is there, with the bytes that were written"
    known = shelf.ids()
    manifest = shelf.manifest(known[-1]) if known else None
    if manifest is None:
        return failed(expected, f"there is no snapshot in {shelf}", f"invoke backup.create --env {name}")
    mend = f"invoke backup.create --env {name}, and find out what damaged {shelf}"
    return reading.judge(subject, manifest, expected, mend)


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
