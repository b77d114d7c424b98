"""The public site that links in mails lead to."""

from __future__ import annotations

import ipaddress
from urllib.parse import urljoin, urlsplit

from runbooks.checks.declare import check
from runbooks.checks.page_scripts import developers_addresses, loaded_later, scripts
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed
from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.http.client import Answer, HttpClient

NOT_PUBLIC = (".localhost", ".local", ".internal", ".lan", ".home", ".home.arpa", ".invalid", ".example")
"""Ends of names that nobody outside can look up."""

MOST_FILES = 12
MOST_REDIRECTS = 3
LARGEST_SCRIPT = 32 * 1024 * 1024
"""Bytes. A site that is one compiled program has a script of some megabytes."""


@check("email.frontend-url-public", severity=Severity.MAJOR, evidence=Evidence.PROBE, target="frontend")
def frontend_url_public(subject: Subject) -> Finding:
    url = subject.site.public.frontend_url
    expected = "FRONTEND_URL is https at a public name, answers, and its scripts call no developer's machine"
    problem = not_public(url) or _leads_inside(subject, url)
    if problem:
        return failed(expected, f"FRONTEND_URL is {url}: {problem}", "set FRONTEND_URL to the public site, and restart")
    parts = urlsplit(url)
    with subject.site.public.web(f"{parts.scheme}://{parts.netloc}") as site:
        page, path = _page(site, parts.path or "/")
        if page.status != 200:
            mend = "deploy the site, or correct FRONTEND_URL: every link in a mail leads there"
            return failed(expected, f"GET {page.url} is HTTP {page.status}, {page.beginning()}", mend)
        read, wrong = _examine(site, page, path)
    if wrong:
        mend = "build the site for release, with the application's public address, and deploy that"
        return failed(expected, "; ".join(wrong), mend)
    return passed(expected, f"{url} answers; no developer's address in the page and {read} scripts")


def not_public(url: str) -> str:
    """What is wrong with the address as it is written, or nothing."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if parts.scheme != "https":
        return "not https"
    try:
        return "" if ipaddress.ip_address(host).is_global else f"{host} is no public address"
    except ValueError:
        inside = "." not in host or f".{host}".endswith(NOT_PUBLIC)
        return f"{host or 'no host'} is no public name" if inside else ""


def _leads_inside(subject: Subject, url: str) -> str:
    """What is wrong with where the name leads. A sandbox is wholly on this machine, so there it says nothing."""
    host = urlsplit(url).hostname or ""
    if subject.environment.sandbox or host.replace(".", "").isdigit() or ":" in host:
        return ""
    if host.endswith(".test"):
        return f"{host} is no public name"
    found = subject.site.public.names.addresses(host)
    inside = [address for address in found if not ipaddress.ip_address(address).is_global]
    if not found:
        return f"{host} has no address"
    return f"{host} leads to {', '.join(inside)}" if inside else ""


def _page(site: HttpClient, path: str) -> tuple[Answer, str]:
    """The page at the end of its redirects within the site, and its path.

    Raises:
        SystemFault: they lead elsewhere, or to no end.
    """
    for _ in range(MOST_REDIRECTS + 1):
        answer = site.get(path)
        if answer.status not in (301, 302, 303, 307, 308):
            return answer, path
        target = urlsplit(urljoin(answer.url, answer.headers.get("location", "")))
        if f"{target.scheme}://{target.netloc}" != site.base_url:
            break
        path = f"{target.path or '/'}?{target.query}" if target.query else target.path or "/"
    raise SystemFault(
        "the site leads elsewhere",
        reason=Reason.BAD_ANSWER,
        where=f"GET {answer.url}",
        found=f"HTTP {answer.status} to {answer.headers.get('location')!r}",
        mend="set FRONTEND_URL to where the site really is",
    )


def _examine(site: HttpClient, page: Answer, path: str) -> tuple[int, list[str]]:
    """How many of the page's scripts were read, and where a developer's address stands in them.

    Raises:
        SystemFault: a script can't be read.
    """
    texts = {path: page.body.decode(errors="replace")}
    waiting = list(scripts(texts[path], page.url))
    while waiting and len(texts) <= MOST_FILES:
        name = waiting.pop(0)
        if name in texts:
            continue
        answer = site.request("GET", name, largest=LARGEST_SCRIPT)
        texts[name] = answer.body.decode(errors="replace") if answer.status == 200 else ""
        waiting += loaded_later(texts[name], answer.url)
    found = {name: developers_addresses(text) for name, text in texts.items()}
    return len(texts) - 1, [f"{name} calls {', '.join(addresses)}" for name, addresses in found.items() if addresses]
