"""The database: whether somebody hears of its troubles."""

from __future__ import annotations

from runbooks.checks.alerts import watched
from runbooks.checks.declare import check
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity


@check("postgres.monitored", severity=Severity.MAJOR, evidence=Evidence.PROBE, target="monitor", attestable=True)
def monitored(subject: Subject) -> Finding:
    return watched(subject, "a monitor of the database sees it and tells somebody", database=True)
