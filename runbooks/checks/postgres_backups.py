"""The database: whether copies of it are taken often enough."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from runbooks.checks.declare import check
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed, unknown

SKEW = timedelta(minutes=5)
"""What two clocks may differ by."""


@check("postgres.backups-on", severity=Severity.CRITICAL, evidence=Evidence.LEDGER, target="store")
def backups_on(subject: Subject) -> Finding:
    environment, shelf = subject.environment, subject.site.shelf
    hours = environment.backup.rpo_hours
    if hours is None:
        expected = "the newest snapshot is younger than the recovery point objective"
        mend = "declare backup.rpo_hours in the inventory: so many hours of work may be lost"
        return unknown(expected, "nobody has said how old it may be", mend)
    expected = f"a snapshot that is at most {hours} h old"
    mend = f"invoke backup.create --env {environment.name}; for a timer: invoke schedule.render"
    known = shelf.ids()
    manifest = shelf.manifest(known[-1]) if known else None
    if manifest is None:
        return failed(expected, f"there is none in {shelf}", mend)
    age = datetime.now(UTC) - manifest.taken
    told = f"{manifest.id}, of {manifest.taken:%Y-%m-%d %H:%M} UTC"
    if manifest.environment != environment.name:
        return failed(expected, f"the newest, {told}, is of {manifest.environment}", mend)
    if age < -SKEW:
        return failed(
            expected, f"{told}, which is yet to come: the server's clock or ours is wrong", "correct the clocks"
        )
    if age > timedelta(hours=hours):
        return failed(expected, f"the newest is {age.total_seconds() / 3600:.1f} h old: {told}", mend)
    return passed(expected, f"{told}; {len(known)} in all")
