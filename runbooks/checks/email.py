"""How the application sends mail."""

from __future__ import annotations

from runbooks.checks.declare import check
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Phase, Severity, failed, passed


@check(
    "email.provider-not-console",
    severity=Severity.CRITICAL,
    evidence=Evidence.CONFIG,
    phase=Phase.BEFORE,
    target="variables",
)
def provider_not_console(subject: Subject) -> Finding:
    expected = "EMAIL_PROVIDER sends mail"
    provider = subject.site.variable("EMAIL_PROVIDER") or "console"
    if provider == "console":
        return failed(expected, "EMAIL_PROVIDER is console: mail is printed, not sent", "set EMAIL_PROVIDER=resend")
    return passed(expected, f"EMAIL_PROVIDER is {provider}")
