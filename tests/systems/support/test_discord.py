"""Discord's invites and webhooks, looked at without posting."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.http.client import HttpClient
from runbooks.systems.http.patience import Patience
from runbooks.systems.providers.api import KeyRefused, NotFound
from runbooks.systems.support.discord import Discord, webhook
from tests.standin import Provider

INVITE = {"guild": "PRAVIEL", "members": 94, "online": 12, "expires_at": "2026-12-01T00:00:00+00:00"}
BRIEF = Patience(0.1, threading.Event())


@pytest.fixture
def discord(provider: Provider) -> Iterator[Discord]:
    provider.write("accounts.json", {"discord": {"invites": {"abc": INVITE}, "webhooks": {"42": "token"}}})
    with HttpClient(f"{provider.url}/discord/api/v10") as http:
        yield Discord(http, BRIEF)


def address(provider: Provider, tail: str) -> Secret:
    return Secret("webhook", f"{provider.url}/discord/api/webhooks/{tail}")


def test_an_invite_tells_who_is_there_and_until_when(discord: Discord) -> None:
    invite = discord.invite("abc")

    assert invite is not None
    assert (invite.guild.name, invite.approximate_member_count, invite.approximate_presence_count) == (
        "PRAVIEL",
        94,
        12,
    )
    assert invite.expires_at == INVITE["expires_at"]


def test_an_unknown_invite_is_none(discord: Discord) -> None:
    assert discord.invite("abd") is None


@pytest.mark.usefixtures("discord")
def test_a_webhook_is_looked_at_and_nothing_is_posted(provider: Provider) -> None:
    assert webhook(address(provider, "42/token"), BRIEF, 5).name == "status"
    assert {seen["method"] for seen in provider.lines("requests.jsonl")} == {"GET"}


@pytest.mark.usefixtures("discord")
@pytest.mark.parametrize(("tail", "error"), [("43/token", NotFound), ("42/other", KeyRefused)])
def test_a_webhook_that_is_gone_is_told_apart_from_a_wrong_token(
    provider: Provider, tail: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        webhook(address(provider, tail), BRIEF, 5)


def test_too_many_requests_are_not_waited_for_longer_than_there_is_time(discord: Discord, provider: Provider) -> None:
    provider.tell("discord", status=429, headers={"retry-after": "64.57"})

    with pytest.raises(SystemFault) as caught:
        discord.invite("abc")

    assert caught.value.reason is Reason.RATE_LIMITED
    assert "in 65 s" in caught.value.found


def test_a_server_error_is_discords_own(discord: Discord, provider: Provider) -> None:
    provider.tell("discord", status=500)

    with pytest.raises(SystemFault, match="Discord failed"):
        discord.invite("abc")
