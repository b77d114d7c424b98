"""PagerDuty's rota: the first level only, all pages, and entries without an end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.http.client import HttpClient
from runbooks.systems.http.patience import Patience
from runbooks.systems.support import pagerduty
from runbooks.systems.support.pagerduty import Entry
from tests.standin import Provider

NOW = datetime(2026, 5, 31, 12, tzinfo=UTC)


@pytest.fixture
def http(provider: Provider) -> Iterator[HttpClient]:
    with HttpClient(f"{provider.url}/pagerduty") as client:
        yield client


def entry(user: str, level: int = 1, start: str | None = None, end: str | None = None) -> dict[str, Any]:
    return {"user": user, "level": level, "start": start, "end": end}


def asked(provider: Provider, http: HttpClient, *entries: dict[str, Any], token: str = "good") -> list[Entry]:
    provider.write("accounts.json", {"pagerduty": {"tokens": ["good"], "oncalls": {"P1": list(entries)}}})
    span = NOW, NOW + timedelta(days=7)
    return list(pagerduty.first_level(http, Secret("token", token), "P1", span, Patience(0.1, threading.Event())))


def test_who_is_called_first_is_told_with_when(provider: Provider, http: HttpClient) -> None:
    begins, ends = "2026-05-31T08:00:00-05:00", "2026-06-07T08:00:00-05:00"

    found = asked(provider, http, entry("Ada", 1, begins, ends), entry("Grace", 2), entry("Tim"))

    assert [(each.user.summary, each.start, each.end) for each in found] == [
        ("Ada", datetime(2026, 5, 31, 13, tzinfo=UTC), datetime(2026, 6, 7, 13, tzinfo=UTC)),
        ("Tim", None, None),
    ]


def test_all_pages_are_read(provider: Provider, http: HttpClient) -> None:
    assert len(asked(provider, http, *(entry(f"user {number}") for number in range(250)))) == 250


def test_a_wrong_token_is_unauthorised(provider: Provider, http: HttpClient) -> None:
    with pytest.raises(SystemFault) as caught:
        asked(provider, http, token="wrong")

    assert caught.value.reason is Reason.UNAUTHORISED
