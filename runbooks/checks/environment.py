"""The mode that the application runs in."""

from __future__ import annotations

from runbooks.checks.declare import check
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Phase, Severity, failed, passed


@check(
    "environment.is-production",
    severity=Severity.CRITICAL,
    evidence=Evidence.CONFIG,
    phase=Phase.BEFORE,
    target="variables",
)
def is_production(subject: Subject) -> Finding:
    wanted = subject.environment.application.environment
    expected = f"ENVIRONMENT is {wanted}"
    value = subject.site.variable("ENVIRONMENT")
    if value is None:
        found = "ENVIRONMENT is not set: the application then runs in dev mode, without CSRF and with a known key"
        return failed(expected, found, f"set ENVIRONMENT={wanted}")
    if value.strip().lower() != wanted.lower():
        return failed(expected, f"ENVIRONMENT is {value!r}", f"set ENVIRONMENT={wanted}")
    return passed(expected, f"ENVIRONMENT is {value}")


@check(
    "environment.echo-fallback-off",
    severity=Severity.MAJOR,
    evidence=Evidence.CONFIG,
    phase=Phase.BEFORE,
    target="variables",
)
def echo_fallback_off(subject: Subject) -> Finding:
    intended = subject.environment.application.echo_fallback_intended
    expected = f"ECHO_FALLBACK_ENABLED is {'as intended' if intended else 'false'}"
    on = subject.site.flag("ECHO_FALLBACK_ENABLED", default=True)
    state = "true" if on else "false"
    if subject.site.variable("ECHO_FALLBACK_ENABLED") is None:
        state += " because it is not set"
    if on and not intended:
        found = f"ECHO_FALLBACK_ENABLED is {state}: a provider's failure would be answered by an echo"
        return failed(expected, found, "set ECHO_FALLBACK_ENABLED=false and restart the application")
    return passed(expected, f"ECHO_FALLBACK_ENABLED is {state}")
