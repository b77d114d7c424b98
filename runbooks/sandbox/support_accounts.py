"""What the sandbox holds at the services around the application: Discord, GitHub, Sentry, PagerDuty, Datadog."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from runbooks.environment.support import NO_POLICY
from runbooks.sandbox.files import kept_password
from runbooks.sandbox.layout import Layout

INVITE = "praviel"
REPOSITORY = "praviel/praviel"
WEBHOOK = "1180000000000000042"
PROJECT = "4501"
POLICY = "PSANDBX"
"""An escalation policy with a gap, which nobody uses unless a fault says so."""


def variables(layout: Layout, base: str) -> Mapping[str, str]:
    """What the application is deployed with.

    Args:
        base: Where the stand-in of all vendors answers.
    """
    scheme, _, rest = base.partition("://")
    return {
        "SENTRY_DSN": f"{scheme}://{_sentry_key(layout)}@{rest}/sentry/{PROJECT}",
        "DD_API_KEY": _token(layout, "datadog"),
    }


def operator_secrets(layout: Layout, base: str) -> Mapping[str, str]:
    """What the operator holds."""
    return {
        "DISCORD_API": f"{base}/discord/api/v10",
        "DISCORD_WEBHOOK": f"{base}/discord/api/webhooks/{WEBHOOK}/{_token(layout, 'discord')}",
        "GITHUB_API": f"{base}/github",
        "GITHUB_TOKEN": f"ghp_{_token(layout, 'github')}",
        "PAGERDUTY_API": f"{base}/pagerduty",
        "PAGERDUTY_TOKEN": _token(layout, "pagerduty"),
        "PAGERDUTY_POLICY": NO_POLICY,
        "DATADOG_API": f"{base}/datadog",
        "DATADOG_API_KEY": _token(layout, "datadog"),
        "DATADOG_APPLICATION_KEY": _token(layout, "datadog-application"),
    }


def discord(layout: Layout) -> dict[str, Any]:
    """A server with somebody in it, and a webhook."""
    invite = {"guild": "PRAVIEL", "members": 94, "online": 12, "expires_at": None}
    return {"invites": {INVITE: invite}, "webhooks": {WEBHOOK: _token(layout, "discord")}}


def github(layout: Layout) -> dict[str, Any]:
    """Issues that were answered, one that is young, and a pull request, which is none."""
    issues = [
        {"number": 7, "by": "user", "age_days": 40, "comments": [{"by": "ada", "age_days": 39}]},
        {"number": 9, "by": "user", "age_days": 30, "pull_request": True, "comments": []},
        {"number": 12, "by": "user", "age_days": 1, "comments": []},
    ]
    return {
        "tokens": {f"ghp_{_token(layout, 'github')}": {}},
        "repositories": {REPOSITORY: {"issues": issues}},
    }


def sentry(layout: Layout) -> dict[str, Any]:
    """A project and its key."""
    return {"projects": {PROJECT: {"key": _sentry_key(layout), "active": True}}}


def pagerduty(layout: Layout) -> dict[str, Any]:
    """A policy whose first level ends within the week; the second level is always there, and does not count."""
    until = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0)
    first = {"user": "Ada", "level": 1, "start": None, "end": until.isoformat()}
    second = {"user": "Grace", "level": 2, "start": None, "end": None}
    return {"tokens": [_token(layout, "pagerduty")], "oncalls": {POLICY: [first, second]}}


def datadog(layout: Layout) -> dict[str, Any]:
    """An account whose monitors watch the application and its database."""
    return {
        "keys": [_token(layout, "datadog")],
        "application_keys": [_token(layout, "datadog-application")],
        "monitors": [
            _monitor(1, "answers slowly or not at all", "service:praviel"),
            _monitor(2, "connections of the database run out", "service:praviel-postgres"),
        ],
    }


def _monitor(number: int, name: str, tag: str) -> dict[str, Any]:
    return {
        "id": number,
        "name": name,
        "tags": [tag],
        "overall_state": "OK",
        "message": f"PRAVIEL {name} @pagerduty",
        "options": {"silenced": {}},
    }


def _token(layout: Layout, service: str) -> str:
    return kept_password(layout.environments / f"{service}-token", service).reveal()


def _sentry_key(layout: Layout) -> str:
    """32 hexadecimal digits, made of a password that is kept."""
    import hashlib

    return hashlib.sha256(_token(layout, "sentry").encode()).hexdigest()[:32]
