"""The application's own health pages, asked for what they promise rather than for a status code."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median
from typing import Any

from runbooks.checks.declare import check
from runbooks.checks.journey import within_limits
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed, skipped, unknown
from runbooks.engine.errors import Reason
from runbooks.systems.http.client import Answer

SAMPLES = 5

PROVIDERS = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY", "google": "GOOGLE_API_KEY"}
"""Names on the providers' health page, and the variable that makes each one configured."""


@check("health.app", severity=Severity.CRITICAL, evidence=Evidence.PROBE, target="application", alone=True)
def app(subject: Subject) -> Finding:
    budget = subject.environment.application.health_latency_budget_ms
    expected = f"GET /health is 200 with status ok, {SAMPLES} times, median within {budget} ms"
    times = []
    for sample in range(1, SAMPLES + 1):
        answer = subject.site.application.get("/health")
        problem = health_problem(answer)
        if problem:
            return failed(expected, f"sample {sample}: {problem}", "see the application's log")
        times.append(answer.seconds * 1000)
    found = f"{SAMPLES} answers, median {median(times):.0f} ms, slowest {max(times):.0f} ms"
    if median(times) > budget:
        return failed(expected, found, "see the load of the host, and the application's log")
    return passed(expected, found)


@check("health.database", severity=Severity.CRITICAL, evidence=Evidence.PROBE, target="application")
def database(subject: Subject) -> Finding:
    expected = "GET /health/db has status ok, both extensions, and seed data"
    problem = database_problem(within_limits(subject.site.application.get("/health/db")))
    if problem:
        return failed(
            expected,
            problem,
            "see postgres.pgvector and migrations.run-on-deploy, then the application's log",
        )
    return passed(expected, "status ok, vector and pg_trgm, seed data")


@check("health.providers", severity=Severity.MAJOR, evidence=Evidence.PROBE, target="application")
def providers(subject: Subject) -> Finding:
    configured = [name for name, variable in PROVIDERS.items() if subject.variables.get(variable)]
    expected = f"GET /health/providers says ok for {', '.join(configured) or 'every configured provider'}"
    if not configured:
        return skipped(expected, "no provider's API key is set")
    page = subject.site.application.get("/health/providers").object()
    missing = [name for name in configured if not isinstance(page.get(name), dict)]
    if missing:
        found = f"the page says nothing of {', '.join(missing)}"
        return unknown(expected, found, "see whether this release has the page", Reason.BAD_ANSWER)
    bad = [f"{name}: {_said(page[name])}" for name in configured if page[name].get("ok") is not True]
    if bad:
        return failed(expected, "; ".join(bad), "see the provider's status page, and whether it still accepts the key")
    return passed(expected, f"ok: {', '.join(configured)}")


def health_problem(answer: Answer) -> str:
    """What is wrong with an answer of /health, or nothing."""
    if answer.status != 200:
        return f"HTTP {answer.status}"
    status = answer.object().get("status")
    return "" if status == "ok" else f"status is {status!r}"


def database_problem(answer: Answer) -> str:
    """What is wrong with an answer of /health/db, or nothing. A degraded database is HTTP 200 there."""
    if answer.status != 200:
        return f"HTTP {answer.status}, {answer.beginning()}"
    page = answer.object()
    extensions = page.get("extensions")
    wrong = [] if page.get("status") == "ok" else [f"status is {page.get('status')!r}"]
    there = (
        {name for name, installed in extensions.items() if installed is True} if isinstance(extensions, dict) else ()
    )
    wrong += [f"extension {name} is missing" for name in ("vector", "pg_trgm") if name not in there]
    if page.get("seed_data") is not True:
        wrong.append("seed data is missing")
    return ", ".join(wrong)


def _said(provider: Mapping[str, Any]) -> str:
    return f"status {provider.get('status')}, {provider.get('error') or 'no error given'}"
