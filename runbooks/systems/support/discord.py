"""Discord: who is in the community's server, and whether a webhook is there. Nothing is ever posted here."""

from __future__ import annotations

from dataclasses import dataclass

from runbooks.engine.secret import Secret
from runbooks.systems.http.client import Answer, HttpClient
from runbooks.systems.http.patience import Patience
from runbooks.systems.providers.api import BY_STATUS, Api, NotFound, Refusal, error_of

AGENT = {"user-agent": "DiscordBot (https://github.com/praviel/runbooks, 1.0)"}
"""Discord's edge may refuse other clients."""


@dataclass(frozen=True)
class Guild:
    """A server; Discord's word for it."""

    name: str


@dataclass(frozen=True)
class Invite:
    """An invite, as whoever follows it sees it.

    Attributes:
        guild: Where it leads.
        approximate_member_count: How many belong to it.
        approximate_presence_count: How many of them are online.
        expires_at: When it ends (ISO 8601); None: never.
    """

    guild: Guild
    approximate_member_count: int
    approximate_presence_count: int
    expires_at: str | None = None


@dataclass(frozen=True)
class Webhook:
    """A place to post to."""

    name: str | None


class Discord:
    """Discord's API, asked without a key."""

    def __init__(self, http: HttpClient, patience: Patience) -> None:
        self._api = Api("Discord", http, AGENT, patience, read=_read)

    def invite(self, code: str) -> Invite | None:
        """The invite of this code, or None if there is none.

        Raises:
            SystemFault: Discord did not say.
        """
        try:
            return self._api.get(f"/invites/{code}", Invite, with_counts="true")
        except NotFound:
            return None


def webhook(address: Secret, patience: Patience, seconds: float) -> Webhook:
    """What a webhook's address leads to.

    Raises:
        NotFound, KeyRefused: it was deleted; its token is wrong.
        SystemFault: Discord did not say.
    """
    server, _, path = address.reveal().partition("/api/")
    with HttpClient(server, seconds=seconds) as http:
        return Api("Discord", http, AGENT, patience, read=_read).get(f"/api/{path}", Webhook)


def _read(answer: Answer) -> Refusal:
    said = error_of(answer)
    return Refusal(BY_STATUS.get(answer.status), f"{said.get('message', '')}")
