"""PagerDuty: who is on call, and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.http.client import Answer, HttpClient
from runbooks.systems.http.patience import Patience
from runbooks.systems.providers.api import BY_STATUS, Api, Refusal, error_of, part_of

VERSION = "application/vnd.pagerduty+json;version=2"
PAGE = 100
MOST_PAGES = 5
FIRST_LEVEL = 1
"""Who is called first; the others are called when nobody answers."""


@dataclass(frozen=True)
class User:
    """Somebody with an account. ``summary`` is the name."""

    summary: str


@dataclass(frozen=True)
class Entry:
    """Somebody is on call; without a start or an end, always."""

    user: User
    escalation_level: int
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True)
class _Page:
    oncalls: list[Entry]
    more: bool = False


def first_level(
    http: HttpClient, token: Secret, policy: str, span: tuple[datetime, datetime], patience: Patience
) -> Iterator[Entry]:
    """Who is called first by an escalation policy in a span.

    Raises:
        SystemFault: PagerDuty did not say, or there are more entries than are looked at.
    """
    headers = {"authorization": f"Token token={token.reveal()}", "accept": VERSION}
    api = Api("PagerDuty", http, headers, patience, read=_read)
    since, until = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in span)
    for number in range(MOST_PAGES):
        query = {"escalation_policy_ids[]": policy, "since": since, "until": until, "limit": PAGE}
        page = api.get("/oncalls", _Page, **query, offset=number * PAGE)
        yield from (entry for entry in page.oncalls if entry.escalation_level == FIRST_LEVEL)
        if not page.more:
            return
    found = f"more than {PAGE * MOST_PAGES} entries"
    raise SystemFault("there is more than is looked at", reason=Reason.FAILED, where=f"policy {policy}", found=found)


def _read(answer: Answer) -> Refusal:
    return Refusal(BY_STATUS.get(answer.status), str(part_of(error_of(answer), "error").get("message", "")))
