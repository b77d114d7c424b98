"""What only the application's own driver tells: whether it takes the database's URL and gets an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

from runbooks.checks.declare import check
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Phase, Severity, failed, passed, unknown
from runbooks.engine.errors import Reason
from runbooks.engine.secret import Secret
from runbooks.environment.model import Reach

URL = "DATABASE_URL"
SECONDS = 30.0

TAKEN = frozenset({"ssl", "sslmode", "sslrootcert", "sslcert", "sslkey"})
"""Options of libpq that PRAVIEL takes out of the URL before asyncpg sees it."""

UNREACHED = ("OSError", "ConnectionRefusedError", "TimeoutError", "gaierror", "CancelledError")
"""Exceptions that say nothing about the release: this machine did not get through."""

POOLER_PORT = 6543


@check(
    "final.driver-answers",
    title="The release's own driver reaches the database",
    severity=Severity.CRITICAL,
    evidence=Evidence.PROBE,
    phase=Phase.BEFORE,
    target="source",
    depends_on=("final.settings-load",),
    seconds=SECONDS,
)
def driver_answers(subject: Subject) -> Finding:
    expected = "the release's own engine asks the database of DATABASE_URL twice, and both answers come"
    release, url = subject.environment.release, subject.site.variable(URL)
    if not url:
        return failed(expected, f"{URL} is not set", f"set {URL}")
    reached = through(url, subject)
    variables = {**subject.variables, URL: Secret(URL, reached)}
    answer = subject.site.interpreter.ask_database(release.engine, variables, SECONDS - 2)
    pooled = pooler(url)
    way = f", through a pooled endpoint ({pooled})" if pooled else ""
    if answer["ok"]:
        return passed(expected, f"{answer['driver']} asked {answer['database']} twice{way}")
    found = f"{answer['kind']}: {answer['error']}{way}"
    if answer["stage"] == "import":
        return unknown(expected, f"{release.engine}: {found}", "see release.engine in the inventory", Reason.FAILED)
    if answer["kind"] in UNREACHED:
        mend = f"database.reach is '{subject.environment.database.reach}'; run this where the application runs"
        return unknown(expected, found, mend, Reason.UNREACHABLE)
    return failed(expected, found, _mend(answer, url))


def _mend(answer: Mapping[str, Any], url: str) -> str:
    refused = refused_options(url)
    if refused:
        return f"take {', '.join(refused)} out of {URL}: other tools take it, the application's driver does not"
    if "prepared statement" in answer["error"]:
        return f"set {URL} to the endpoint that is not pooled, or have the release switch prepared statements off"
    if "password" in answer["error"].lower():
        return "see whether the release passes the password on as it is: str(URL) masks it as ***"
    return f"see {URL} and the release's engine"


def refused_options(url: str) -> list[str]:
    """Options in a URL's query that the application's driver refuses; libpq, and so the migrations, take them."""
    return sorted({name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)} - TAKEN - ASYNCPG)


ASYNCPG = frozenset(
    {
        "timeout",
        "command_timeout",
        "statement_cache_size",
        "max_cached_statement_lifetime",
        "max_cacheable_statement_size",
        "prepared_statement_cache_size",
        "server_settings",
        "target_session_attrs",
        "direct_tls",
        "krbsrvname",
        "gsslib",
    }
)
"""Options that asyncpg, or SQLAlchemy for it, takes."""


def pooler(url: str) -> str:
    """What tells that a URL leads to a pooler in place of the database, or nothing."""
    parts = urlsplit(url)
    if "-pooler" in (parts.hostname or "") or (parts.hostname or "").startswith("pooler."):
        return f"host {parts.hostname}"
    return f"port {POOLER_PORT}" if _port(parts) == POOLER_PORT else ""


def through(url: str, subject: Subject) -> str:
    """The application's URL; where the operator goes by a proxy, at its host and port."""
    if subject.environment.database.reach is not Reach.PROXY:
        return url
    own, operator = urlsplit(url), urlsplit(subject.site.database_url.reveal())
    credentials, at, _ = own.netloc.rpartition("@")
    place = f"{credentials}{at}{operator.netloc.rpartition('@')[2]}"
    return urlunsplit(own._replace(netloc=place, query=urlencode(parse_qsl(own.query))))


def _port(parts: SplitResult) -> int:
    try:
        return parts.port or 5432
    except ValueError:
        return 0
