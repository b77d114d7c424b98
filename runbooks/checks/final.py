"""The three probes of the document's final verification command."""

from __future__ import annotations

from runbooks.checks.declare import check
from runbooks.checks.health import database_problem, health_problem
from runbooks.checks.journey import within_limits
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Phase, Severity, failed, passed

SETTINGS_SECONDS = 20.0


@check(
    "final.settings-load",
    title="The release's settings load with the deployed variables",
    severity=Severity.CRITICAL,
    evidence=Evidence.PROBE,
    phase=Phase.BEFORE,
    target="source",
    seconds=SETTINGS_SECONDS,
)
def settings_load(subject: Subject) -> Finding:
    expected = "app.core.config loads with the deployed variables and nothing else"
    problem = subject.site.settings_problem(SETTINGS_SECONDS - 2)
    if problem:
        return failed(expected, problem, "correct the variable; the application will not start with it")
    return passed(expected, f"loaded with {len(subject.variables)} variables")


@check(
    "final.health",
    title="The health pages answer",
    severity=Severity.CRITICAL,
    evidence=Evidence.PROBE,
    target="application",
)
def health(subject: Subject) -> Finding:
    expected = "/health and /health/db both report ok"
    application = subject.site.application
    problems = {
        "/health": health_problem(application.get("/health")),
        "/health/db": database_problem(within_limits(application.get("/health/db"))),
    }
    bad = [f"{path}: {problem}" for path, problem in problems.items() if problem]
    return failed(expected, "; ".join(bad), "see the application's log") if bad else passed(expected, "both report ok")


@check(
    "final.registration",
    title="A registration succeeds",
    severity=Severity.CRITICAL,
    evidence=Evidence.PROBE,
    target="application",
)
def registration(subject: Subject) -> Finding:
    expected = "POST /api/v1/auth/register is 201 with the new user"
    account = subject.journey.account()
    return passed(expected, f"201, user {account['id']}")
