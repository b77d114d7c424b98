"""GitHub's issues and comments, read page by page; what it refuses is told apart."""

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
from runbooks.systems.support.github import IssuesDisabled, Repository
from tests.standin import Provider

NAME = "praviel/praviel"


def issue(number: int, age_days: float, *comments: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"number": number, "by": "user", "age_days": age_days, "comments": list(comments), **more}


@pytest.fixture
def http(provider: Provider) -> Iterator[HttpClient]:
    with HttpClient(f"{provider.url}/github") as client:
        yield client


def repository(
    provider: Provider, http: HttpClient, *issues: dict[str, Any], token: str | None = "ghp_good", **more: Any
) -> Repository:
    held = {"tokens": {"ghp_good": {}}, "repositories": {NAME: {"issues": list(issues), **more}}}
    provider.write("accounts.json", {"github": held})
    secret = Secret("token", token) if token else None
    return Repository(http, NAME, secret, Patience(0.1, threading.Event()))


def test_issues_come_oldest_first_from_all_pages_and_without_pull_requests(
    provider: Provider, http: HttpClient
) -> None:
    issues = [issue(number, age_days=number, pull_request=number == 7) for number in range(1, 251)]

    found = [each.number for each in repository(provider, http, *issues).open_issues()]

    assert found == [number for number in range(250, 0, -1) if number != 7]


def test_comments_name_their_issue_and_whether_a_program_wrote_them(provider: Provider, http: HttpClient) -> None:
    said = ({"by": "ada", "age_days": 1}, {"by": "stale[bot]", "bot": True, "age_days": 2})

    found = list(repository(provider, http, issue(3, 9, *said)).comments_since(datetime.now(UTC) - timedelta(days=9)))

    assert [(each.issue, each.user.login, each.user.bot) for each in found] == [
        (3, "ada", False),
        (3, "stale[bot]", True),
    ]


def test_a_stranger_may_ask_too(provider: Provider, http: HttpClient) -> None:
    assert list(repository(provider, http, token=None).open_issues()) == []
    assert "authorization" not in provider.lines("requests.jsonl")[-1]["headers"]


def test_a_wrong_token_is_unauthorised_and_not_shown(provider: Provider, http: HttpClient) -> None:
    with pytest.raises(SystemFault) as caught:
        list(repository(provider, http, token="ghp_wrong_token").open_issues())

    assert caught.value.reason is Reason.UNAUTHORISED
    assert "ghp_wrong_token" not in str(caught.value)


def test_an_unknown_repository_is_told(provider: Provider, http: HttpClient) -> None:
    asked = repository(provider, http)
    asked.name = "praviel/praviell"

    with pytest.raises(SystemFault, match="no such thing"):
        list(asked.open_issues())


def test_a_repository_without_issues_is_told(provider: Provider, http: HttpClient) -> None:
    with pytest.raises(IssuesDisabled):
        list(repository(provider, http, disabled=True).open_issues())


@pytest.mark.parametrize("status", [403, 429])
def test_a_spent_hour_is_a_rate_limit_whichever_status_it_has(
    provider: Provider, http: HttpClient, status: int
) -> None:
    asked = repository(provider, http)
    provider.tell("github", status=status)

    with pytest.raises(SystemFault) as caught:
        list(asked.open_issues())

    assert caught.value.reason is Reason.RATE_LIMITED
