"""A DSN is parsed as Sentry's own clients do, and tried without leaving an event."""

from __future__ import annotations

import json

import pytest

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.support.sentry import Dsn, parse, refusal
from tests.standin import Provider

KEY = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (f"https://{KEY}@o1.ingest.us.sentry.io/4501", Dsn("https://o1.ingest.us.sentry.io", KEY, "4501")),
        (f"http://{KEY}:old-secret@sentry.test:9000/a/b/7", Dsn("http://sentry.test:9000/a/b", KEY, "7")),
        (f"https://{KEY}@[::1]:9000/7", Dsn("https://[::1]:9000", KEY, "7")),
    ],
)
def test_a_dsn_has_a_server_a_key_and_a_project(text: str, wanted: Dsn) -> None:
    assert parse(Secret("SENTRY_DSN", text)) == wanted


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "does not begin"),
        ("sentry.io/4501", "does not begin"),
        (f"ftp://{KEY}@sentry.io/4501", "does not begin"),
        ("https://sentry.io/4501", "its key has 0 characters"),
        (f"https://{KEY}0@sentry.io/4501", "its key has 33 characters"),
        (f"https://{KEY}@sentry.io/project", "does not end with a project's number"),
        (f"https://{KEY}@sentry.io", "does not end with a project's number"),
        (f"https://{KEY}@sentry.io:port/4501", "not a URL"),
        (f"https://{KEY}@[sentry/4501", "not a URL"),
    ],
)
def test_what_is_none_says_why_without_the_key(text: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(Secret("SENTRY_DSN", text))

    assert problem in str(caught.value)
    assert KEY not in str(caught.value)


def dsn(provider: Provider, key: str = KEY, project: str = "4501", *, active: bool = True) -> Dsn:
    provider.write("accounts.json", {"sentry": {"projects": {"4501": {"key": KEY, "active": active}}}})
    return Dsn(f"{provider.url}/sentry", key, project)


def test_a_good_dsn_is_taken_and_no_event_is_left(provider: Provider) -> None:
    assert refusal(dsn(provider), 5) == ""

    for seen in provider.lines("requests.jsonl"):
        kinds = [json.loads(line).get("type") for line in seen["body"].splitlines()]
        assert kinds == [None, "client_report", None]


def test_another_key_project_or_a_closed_project_is_refused(provider: Provider) -> None:
    said = "HTTP 403, event submission rejected with_reason: ProjectId"

    assert refusal(dsn(provider, key=KEY[::-1]), 5) == said
    assert refusal(dsn(provider, project="4502"), 5) == said
    assert refusal(dsn(provider, active=False), 5) == said


@pytest.mark.parametrize(("status", "reason"), [(429, Reason.RATE_LIMITED), (503, Reason.FAILED)])
def test_a_busy_sentry_says_nothing_of_the_dsn(provider: Provider, status: int, reason: Reason) -> None:
    asked = dsn(provider)
    provider.tell("sentry", status=status)

    with pytest.raises(SystemFault) as caught:
        refusal(asked, 5)

    assert caught.value.reason is reason
