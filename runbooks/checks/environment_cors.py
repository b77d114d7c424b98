"""Which sites' pages may call the application with their visitors' credentials."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from runbooks.checks.declare import check
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed, warned
from runbooks.systems.http.client import Answer

DEV_ORIGIN = "http://localhost:3000"
ASKED_FOR = "authorization,content-type"
PATH = "/api/v1/languages"


@check("environment.dev-cors-off", severity=Severity.MAJOR, evidence=Evidence.PROBE, target="application")
def dev_cors_off(subject: Subject) -> Finding:
    frontends = subject.site.public.frontend_origins
    expected = (
        f"ALLOW_DEV_CORS is false; a preflight from {DEV_ORIGIN} or a foreign site gets no allow-origin header, "
        f"one from {', '.join(frontends)} gets it with credentials"
    )
    if subject.site.flag("ALLOW_DEV_CORS", default=False):
        return failed(expected, "ALLOW_DEV_CORS is true", "set ALLOW_DEV_CORS=false and restart the application")
    for origin in foreign(subject.environment.frontend.foreign_origins, frontends):
        answer = _preflight(subject, origin)
        allowed = answer.headers.get("access-control-allow-origin")
        if allowed:
            found = f"from {origin}: HTTP {answer.status} with access-control-allow-origin: {allowed}"
            mend = "restart the application; if it stays, the release allows the origin by itself"
            return failed(expected, found, mend)
        if answer.status >= 500:
            found = f"the preflight from {origin} got HTTP {answer.status} without the header"
            return warned(expected, found, "see the application's log")
    for origin in frontends:
        problem = refusal(_preflight(subject, origin), origin)
        if problem:
            mend = "its pages can't call the application: correct FRONTEND_URL, or the release's list of origins"
            return failed(expected, f"from {origin}: {problem}", mend)
    return passed(expected, f"ALLOW_DEV_CORS is off; only {', '.join(frontends)} is let in")


def foreign(declared: tuple[str, ...], frontends: tuple[str, ...]) -> Iterator[str]:
    """Origins that must not be let in: a developer's, those declared, and what a careless pattern takes for ours."""
    yield DEV_ORIGIN
    yield from (origin for origin in declared if origin not in frontends)
    for origin in frontends[:1]:
        parts = urlsplit(origin)
        host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
        if "." in host and not host.replace(".", "").isdigit():
            yield f"{parts.scheme}://{host.replace('.', 'x', 1)}{port}"
            yield f"{parts.scheme}://{host}.foreign.example{port}"


def refusal(answer: Answer, origin: str) -> str:
    """Why a browser would not let a page of this origin call the application after this answer, or nothing."""
    allowed = answer.headers.get("access-control-allow-origin")
    if allowed != origin:
        said = f"access-control-allow-origin: {allowed}" if allowed else "no allow-origin header"
        return f"HTTP {answer.status} with {said}"
    if answer.headers.get("access-control-allow-credentials") != "true":
        return f"HTTP {answer.status} without access-control-allow-credentials: true"
    if answer.status >= 300:
        return f"HTTP {answer.status}, {answer.beginning()}"
    return ""


def _preflight(subject: Subject, origin: str) -> Answer:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": ASKED_FOR,
    }
    return subject.site.application.request("OPTIONS", PATH, headers=headers)
