"""Sentry: whether it takes what an application with this DSN would send."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.http.client import Answer, HttpClient
from runbooks.systems.providers.api import error_of

KEY = re.compile(r"[0-9a-f]{32}")
SECOND_LOOK = 0.3
"""Seconds. Sentry takes what it gets before it has looked a project up, and refuses only from then on."""


@dataclass(frozen=True)
class Dsn:
    """``SCHEME://KEY@HOST[/PATH]/PROJECT``: where to send, and as whom."""

    base_url: str
    key: str
    project: str


def parse(dsn: Secret) -> Dsn:
    """The parts of a DSN.

    Raises:
        InputError: it is not well formed; says how, without the DSN.
    """
    try:
        parts = urlsplit(dsn.reveal())
        port = parts.port
    except ValueError:
        raise InputError("it is not a URL") from None
    path, _, project = parts.path.rpartition("/")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError("it does not begin with https://KEY@HOST")
    if not KEY.fullmatch(parts.username or ""):
        raise InputError(f"its key has {len(parts.username or '')} characters, not 32 hexadecimal digits")
    if not project.isdigit():
        raise InputError("it does not end with a project's number")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Dsn(f"{parts.scheme}://{host}{f':{port}' if port else ''}{path}", parts.username or "", project)


def refusal(dsn: Dsn, seconds: float) -> str:
    """Why Sentry does not take what is sent with this DSN, or nothing.

    What is sent is a client report without a discarded event: it passes the same look at key and project as an error,
    and leaves nothing that anybody sees. An empty envelope would not do: that one is taken from everybody.

    Raises:
        SystemFault: Sentry did not say.
    """
    with HttpClient(dsn.base_url, seconds=seconds) as http:
        said = _problem(_send(http, dsn))
        if not said:
            time.sleep(SECOND_LOOK)
            said = _problem(_send(http, dsn))
        return said


def _send(http: HttpClient, dsn: Dsn) -> Answer:
    report = {"timestamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "discarded_events": []}
    body = "\n".join(json.dumps(line) for line in ({}, {"type": "client_report"}, report)) + "\n"
    headers = {
        "content-type": "application/x-sentry-envelope",
        "x-sentry-auth": f"Sentry sentry_version=7, sentry_client=praviel-runbooks/1.0, sentry_key={dsn.key}",
    }
    return http.post(f"/api/{dsn.project}/envelope/", content=body.encode(), headers=headers)


def _problem(answer: Answer) -> str:
    if answer.status == 200:
        return ""
    detail = str(error_of(answer).get("detail", ""))[:80]
    if answer.status in (400, 401, 403, 404):
        return f"HTTP {answer.status}, {detail or 'no detail'}"
    raise SystemFault(
        "Sentry did not say whether it takes errors",
        reason=Reason.RATE_LIMITED if answer.status == 429 else Reason.FAILED,
        where=f"{answer.method} {answer.url}",
        found=f"HTTP {answer.status}",
        mend="see Sentry's status page",
    )
