"""Datadog's monitors, and the keys that read them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.http.client import HttpClient
from runbooks.systems.http.patience import Patience
from runbooks.systems.support import datadog
from runbooks.systems.support.datadog import Monitor, Options
from tests.standin import Provider

BRIEF = Patience(0.1, threading.Event())
KEY, APPLICATION_KEY = Secret("key", "datadog-key"), Secret("application key", "datadog-application-key")
MONITOR: dict[str, Any] = {
    "id": 1,
    "name": "slow",
    "message": "slow @pagerduty",
    "overall_state": "OK",
    "tags": ["service:praviel"],
    "options": {"silenced": {}, "thresholds": {"critical": 5}},
}


@pytest.fixture
def http(provider: Provider) -> Iterator[HttpClient]:
    account = {"keys": [KEY.reveal()], "application_keys": [APPLICATION_KEY.reveal()], "monitors": [MONITOR]}
    provider.write("accounts.json", {"datadog": account})
    with HttpClient(f"{provider.url}/datadog") as client:
        yield client


def test_a_key_is_accepted_or_not(http: HttpClient) -> None:
    assert datadog.accepts(http, KEY, BRIEF)
    assert not datadog.accepts(http, Secret("key", "another-key"), BRIEF)


def test_monitors_are_found_by_their_tag(http: HttpClient) -> None:
    found = datadog.monitors(http, KEY, APPLICATION_KEY, "service:praviel", BRIEF)

    assert [(each.name, each.problem) for each in found] == [("slow", "")]
    assert datadog.monitors(http, KEY, APPLICATION_KEY, "service:other", BRIEF) == []


def test_a_key_that_may_not_read_monitors_is_unauthorised(http: HttpClient) -> None:
    with pytest.raises(SystemFault) as caught:
        datadog.monitors(http, KEY, Secret("application key", "another-key"), "service:praviel", BRIEF)

    assert caught.value.reason is Reason.UNAUTHORISED


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"options": Options(silenced={"*": None})}, "muted"),
        ({"overall_state": "No Data"}, "sees nothing (No Data)"),
        ({"message": "it is slow"}, "tells nobody: its message names no @recipient"),
        ({"overall_state": "Alert"}, ""),
    ],
)
def test_a_monitor_helps_when_it_sees_and_somebody_is_told(changed: dict[str, Any], problem: str) -> None:
    usual: dict[str, Any] = {"id": 1, "name": "slow", "message": "@ada", "overall_state": "OK", "options": Options()}

    assert Monitor(**(usual | changed)).problem == problem
