"""Whether anybody has tried the application under the load that is expected of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from runbooks.checks.declare import check
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed, unknown
from runbooks.systems.ledger.ledger import REHEARSAL

VALID = timedelta(days=100)


@check("scaling.database-load", severity=Severity.MINOR, evidence=Evidence.LEDGER, target="ledger")
def database_load(subject: Subject) -> Finding:
    declared = subject.environment.load
    if declared.rate is None:
        expected = "a load rehearsal at the expected rate met its budget"
        mend = "declare load.rate, p95_ms and p99_ms in the inventory"
        return unknown(expected, "nobody has said which load is expected", mend)
    expected = (
        f"a rehearsal of at least {declared.minutes:g} min at {declared.rate:g} requests a second, not older than"
        f" {VALID.days} days, met p95 {declared.p95_ms:g} ms and p99 {declared.p99_ms:g} ms"
    )
    mend = f"invoke release.load --env {subject.environment.name}"
    for entry in subject.site.ledger.newest(REHEARSAL):
        found = entry.data
        if found["rate"] < declared.rate or found["minutes"] < declared.minutes:
            continue
        told = (
            f"{entry.at:%Y-%m-%d %H:%M} UTC, release {entry.release[:12] or 'unknown'}: p95 {found['p95_ms']:g} ms,"
            f" p99 {found['p99_ms']:g} ms, {found['error_percent']:g} % failed"
        )
        if datetime.now(UTC) - entry.at > VALID:
            return failed(expected, f"the newest is {(datetime.now(UTC) - entry.at).days} days old: {told}", mend)
        if found["missed"]:
            return failed(expected, f"{told}; missed: {', '.join(found['missed'])}", f"make it faster, then: {mend}")
        return passed(expected, told)
    return failed(expected, "no such rehearsal is in the ledger", mend)
