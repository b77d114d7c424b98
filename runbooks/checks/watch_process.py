"""The day after a deploy: what the application's processes use, and how many errors they log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from runbooks.checks import sampling
from runbooks.checks.declare import check
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Phase, Severity, failed, passed

RECENT = timedelta(minutes=15)
"""How far back the log is looked at: long enough to be calm about single lines, short enough to see a burst."""

MORE_ERRORS = 3.0
"""Times as many error lines as of the release before."""


@check(
    "watch.error-logs",
    severity=Severity.MAJOR,
    evidence=Evidence.PROBE,
    phase=Phase.AFTER,
    target="platform",
)
def error_logs(subject: Subject) -> Finding:
    now = sampling.errors(subject.site, datetime.now(UTC) - RECENT)
    before = [sampling.per_minute(each) for each in sampling.of_source(sampling.baseline(subject.site), "errors")]
    limit = subject.environment.watch.error_lines_per_minute
    usual = sum(before) / len(before) if before else 0.0
    most = max(limit, MORE_ERRORS * usual)
    against = f"{usual:.1f} a minute before" if before else "no release before this one was watched"
    expected = f"at most {most:g} error lines a minute in the log ({against})"
    rate = sampling.per_minute(now)
    found = f"{now['lines']} error lines in {now['seconds'] / 60:.1f} min, {rate:.1f} a minute"
    if rate > most:
        return failed(
            expected, f"{found}; the last one: {now['last']}", "read the log; invoke rollback if users suffer"
        )
    return passed(expected, found)


@check(
    "watch.resources",
    severity=Severity.MAJOR,
    evidence=Evidence.PROBE,
    phase=Phase.AFTER,
    target="platform",
    alone=True,
)
def resources(subject: Subject) -> Finding:
    limits, workers = subject.environment.watch, sampling.processes(subject.site)
    memory = limits.memory_mb * workers
    used, open_now = sampling.resources(subject.site), sampling.connections(subject.site)
    most = open_now["provisioned"] * limits.connections_percent / 100
    expected = (
        f"processor under {limits.cpu_percent * workers:g} % of a core, memory under {memory:g} MiB,"
        f" connections under {most:g} of {open_now['provisioned']}"
    )
    found = (
        f"processor {used['cpu_percent']:g} %, memory {used['memory_mb']:g} MiB in {used['processes']} processes,"
        f" {open_now['used']} connections"
    )
    over = [
        name
        for name, is_over in (
            ("processor", used["cpu_percent"] > limits.cpu_percent * workers),
            ("memory", used["memory_mb"] > memory),
            ("connections", open_now["used"] > most),
        )
        if is_over
    ]
    if over:
        mend = "see what it is busy with; invoke release.watch shows whether it grows"
        return failed(expected, f"over the limit: {', '.join(over)}; {found}", mend)
    return passed(expected, found)
