"""The services around the application that people use, chosen from what an inventory declares."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from urllib.parse import urlsplit

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.environment.people.oncall import Shift
from runbooks.environment.site import Site
from runbooks.environment.support import NO_POLICY, Monitor
from runbooks.environment.value import Value
from runbooks.systems.http.client import HttpClient
from runbooks.systems.http.patience import Patience
from runbooks.systems.support import datadog, pagerduty
from runbooks.systems.support.discord import Discord, Webhook, webhook
from runbooks.systems.support.github import Repository


@contextmanager
def discord(site: Site) -> Iterator[Discord]:
    """The community's server."""
    with _client(site, site.environment.support.discord.api, "support.discord.api") as http:
        yield Discord(http, patience(site))


@contextmanager
def repository(site: Site, name: str) -> Iterator[Repository]:
    """The repository whose issues users open."""
    declared = site.environment.support.github
    token = site.value(declared.token, "support.github.token") if declared.token is not None else None
    with _client(site, declared.api, "support.github.api") as http:
        yield Repository(http, name, token, patience(site))


def escalation_policy(site: Site) -> str | None:
    """The id of the policy whose first level is on call; None where oncall.toml says who is."""
    declared = site.environment.support.pagerduty.escalation_policy
    if declared is None:
        return None
    policy = site.resolve(declared, "support.pagerduty.escalation_policy").reveal()
    return None if policy == NO_POLICY else policy


def shifts(site: Site, policy: str, begin: datetime, end: datetime) -> list[Shift]:
    """Who is on call by PagerDuty between two moments."""
    declared = site.environment.support.pagerduty
    token = site.value(declared.token, "support.pagerduty.token")
    with _client(site, declared.api, "support.pagerduty.api") as http:
        entries = pagerduty.first_level(http, token, policy, (begin, end), patience(site))
        return [
            Shift(person=entry.user.summary, begins=entry.start or begin, ends=entry.end or end) for entry in entries
        ]


def monitors(site: Site, declared: Monitor, tag: str) -> list[datadog.Monitor]:
    """What watches something, by its tag."""
    key = site.value(declared.api_key, "monitor.api_key")
    application_key = site.value(declared.application_key, "monitor.application_key")
    with _client(site, declared.api, "monitor.api") as http:
        return datadog.monitors(http, key, application_key, tag, patience(site))


def accepts(site: Site, key: Secret) -> bool:
    """Whether Datadog takes what an agent with this key sends."""
    declared = site.environment.monitor
    api = declared.api if declared else f"https://api.{site.variable('DD_SITE') or 'datadoghq.com'}"
    with _client(site, api, "monitor.api") as http:
        return datadog.accepts(http, key, patience(site))


def channel_webhook(site: Site, address: Value, name: str) -> Webhook:
    """What the webhook of a channel leads to.

    Raises:
        SystemFault: nowhere, or it can't be told; the fault does not hold the address, with which anybody can post.
    """
    secret = site.value(address, f"the webhook of {name}")
    try:
        return webhook(secret, patience(site), seconds(site))
    except SystemFault as fault:
        fault.where = f"the webhook of {name}"
        raise


def page_status(site: Site, address: Value, name: str) -> int:
    """The HTTP status of a public page."""
    key = f"the page of {name}"
    parts = urlsplit(site.value(address, key).reveal())
    with _client(site, f"{parts.scheme}://{parts.netloc}", key) as http:
        return http.get(parts.path or "/").status


def patience(site: Site) -> Patience:
    """How long a question may be repeated, so that its check still ends in time."""
    return Patience(seconds(site), threading.Event())


def seconds(site: Site) -> float:
    """The time limit of one request."""
    return site.environment.checks.timeout_seconds / 2


def _client(site: Site, address: Value, key: str) -> HttpClient:
    url = site.value(address, key).reveal()
    if not url.startswith(("http://", "https://")):
        raise SystemFault(
            "it is not a URL", reason=Reason.BAD_ANSWER, where=key, mend=f"correct {key} in the inventory"
        )
    return HttpClient(url, seconds=seconds(site))
