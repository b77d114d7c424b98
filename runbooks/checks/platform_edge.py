"""The name and the certificate by which the public reaches the application."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime
from urllib.parse import urlsplit

from runbooks.checks.declare import check
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed, unknown, warned
from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.http.client import Answer
from runbooks.systems.tls.client import Distrust, TlsServer

PLATFORM_NAMES = (".railway.app", ".railway.internal", ".localhost", ".local")
"""Ends of names that a platform or a machine gives by itself."""

DAYS_LEFT = 14
HALF_A_YEAR = 15_552_000
"""Seconds: the shortest max-age of Strict-Transport-Security that is worth its name."""


@check("platform.custom-domain", severity=Severity.MAJOR, evidence=Evidence.PROBE, target="edge")
def custom_domain(subject: Subject) -> Finding:
    host = subject.site.public.host
    points_to = subject.environment.domain.points_to
    expected = f"{host} is a name of our own, leads to {', '.join(points_to) or 'what serves it'}, and serves this app"
    if given_by_platform(host):
        mend = "attach the domain at the platform, point it there, and declare it as application.url"
        return failed(expected, f"{host} is no name of our own", mend)
    names = subject.site.public.names
    seen = names.addresses(host)
    if not seen:
        return failed(expected, f"{host} has no address", "create its A, AAAA or CNAME record")
    if not points_to:
        found = f"{host} leads to {', '.join(seen)}; whether that is right is not declared"
        return unknown(expected, found, "declare domain.points_to: addresses, or the name that the platform gave")
    alias = names.alias(host)
    if alias not in {name.rstrip(".") for name in points_to}:
        wanted = {each for entry in points_to for each in _addresses(subject, entry)}
        elsewhere = [address for address in seen if address not in wanted]
        if elsewhere:
            found = f"{host} leads to {', '.join(elsewhere)} instead of {', '.join(points_to)}"
            return failed(expected, found, "correct the domain's record, or domain.points_to")
    problem = another_application(subject.site.application.get("/health"))
    if problem:
        return failed(expected, problem, "see which application the platform has attached the domain to")
    return passed(expected, f"{host} leads to {', '.join(seen)}, where this application answers")


def given_by_platform(host: str) -> bool:
    """Whether the host is an address, or a name that comes with the platform or the machine."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host.endswith(PLATFORM_NAMES) or "." not in host
    return True


def another_application(health: Answer) -> str:
    """What shows that an answer of /health is not this application's, or nothing."""
    if health.status != 200:
        return f"GET /health is HTTP {health.status}, {health.beginning()}"
    page = health.object()
    missing = [key for key in ("status", "project", "features") if key not in page]
    return f"GET /health lacks {', '.join(missing)}: {health.beginning()}" if missing else ""


def _addresses(subject: Subject, entry: str) -> tuple[str, ...]:
    try:
        return (str(ipaddress.ip_address(entry)),)
    except ValueError:
        return subject.site.public.names.addresses(entry)


@check("platform.https", severity=Severity.CRITICAL, evidence=Evidence.PROBE, target="edge")
def https(subject: Subject) -> Finding:
    host = subject.site.public.host
    expected = (
        f"a trusted certificate for {host} with {DAYS_LEFT} days left or more, TLS 1.2 or newer only, "
        "a redirect from http, and Strict-Transport-Security"
    )
    if not subject.site.application.base_url.startswith("https:"):
        return failed(expected, f"{subject.site.application} is not https", "end TLS before the application")
    server = _server(subject, host)
    made = server.shake_hands()
    if isinstance(made, Distrust):
        mend = "have a certificate issued for this name by an authority that clients trust"
        return failed(expected, f"the certificate at {server} is not trusted: {made.why}", mend)
    left = made.ends - datetime.now(UTC)
    found = f"{made.version}, by {made.issuer}, {left.days} days left"
    if left.days < DAYS_LEFT:
        return failed(expected, f"the certificate has {left.days} days left", "renew it, and see why nothing did")
    if server.accepts_old_versions():
        return failed(expected, "TLS 1.1 or older is accepted", "set the proxy's oldest version to TLS 1.2")
    weak = weak_transport(subject.site.application.get("/health").headers.get("strict-transport-security"))
    if weak:
        mend = "send Strict-Transport-Security: max-age=31536000; includeSubDomains"
        return failed(expected, weak, mend)
    return _redirected(subject, expected, found)


def _server(subject: Subject, host: str) -> TlsServer:
    site = subject.site
    parts = urlsplit(site.application.base_url)
    return TlsServer(
        name=host,
        port=parts.port or 443,
        address=site.public.names.address(host) if subject.environment.dns.servers else host,
        ca_file=subject.environment.application.ca_file,
        seconds=subject.environment.checks.timeout_seconds / 4,
    )


def weak_transport(header: str | None) -> str:
    """What is wrong with a Strict-Transport-Security header, or nothing."""
    if header is None:
        return "no Strict-Transport-Security header"
    ages = [part.partition("=")[2].strip(' "') for part in header.lower().split(";") if part.strip()[:7] == "max-age"]
    if not (ages and ages[0].isdigit() and int(ages[0]) >= HALF_A_YEAR):
        return f"Strict-Transport-Security is {header!r}, less than half a year"
    return ""


def _redirected(subject: Subject, expected: str, found: str) -> Finding:
    with subject.site.public.plain_application() as plain:
        try:
            answer = plain.get("/health")
        except SystemFault as fault:
            if fault.reason is not Reason.UNREACHABLE:
                raise
            mend = "answer http with a redirect to https: who types the name alone gets an error"
            return warned(expected, f"{found}; {plain} does not answer", mend)
    problem = no_redirect(answer, subject.site.public.host)
    if problem:
        return failed(expected, f"{plain}: {problem}", "answer every http request with a redirect to https")
    return passed(expected, f"{found}; http redirects")


def no_redirect(answer: Answer, host: str) -> str:
    """Why an answer to plain http does not lead to https of the same name, or nothing."""
    target = urlsplit(answer.headers.get("location", ""))
    if answer.status not in (301, 302, 307, 308):
        return f"HTTP {answer.status} instead of a redirect"
    if target.scheme != "https" or (target.hostname or "") != host:
        return f"HTTP {answer.status} to {answer.headers.get('location')!r}"
    return ""
