"""Where the application's errors and timings are sent. Both are optional."""

from __future__ import annotations

from runbooks.checks.declare import check
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed, skipped
from runbooks.engine.errors import InputError
from runbooks.environment import around
from runbooks.systems.support import sentry

DSN = "SENTRY_DSN"
AGENT_KEY = "DD_API_KEY"


@check("health.error-tracking", severity=Severity.MINOR, evidence=Evidence.PROBE, target="sentry")
def error_tracking(subject: Subject) -> Finding:
    expected = f"{DSN} is well formed, and Sentry takes what is sent with it"
    secret = subject.variables.get(DSN)
    if not secret:
        return skipped(expected, f"{DSN} is not set; error tracking is optional")
    try:
        dsn = sentry.parse(secret)
    except InputError as error:
        return failed(expected, f"{DSN}: {error.what}", "copy it again from the project's client keys in Sentry")
    refusal = sentry.refusal(dsn, around.seconds(subject.site))
    if refusal:
        mend = f"see whether project {dsn.project} and its client key are still active in Sentry"
        return failed(expected, f"Sentry refuses it: {refusal}", mend)
    return passed(
        expected, f"taken for project {dsn.project}; PRAVIEL itself sends nothing: errors come from what else uses it"
    )


@check("health.performance-monitoring", severity=Severity.MINOR, evidence=Evidence.PROBE, target="monitor")
def performance_monitoring(subject: Subject) -> Finding:
    expected = f"{AGENT_KEY} is accepted by Datadog"
    key = subject.variables.get(AGENT_KEY)
    if not key:
        return skipped(expected, f"{AGENT_KEY} is not set; performance monitoring is optional")
    if around.accepts(subject.site, key):
        return passed(expected, "accepted")
    mend = f"make a new one in Datadog, or see whether monitor.api is its site, then set {AGENT_KEY}"
    return failed(expected, "Datadog does not know the key, on this site", mend)
