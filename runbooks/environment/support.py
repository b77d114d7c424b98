"""What an environment declares of the people around it: their files, where they help users, and who watches."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from runbooks.environment.value import SecretRef, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """What only people know, written down.

    Attributes:
        folder: Where attestations.toml and its siblings are; after loading absolute and never None.
    """

    folder: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Discord:
    """The community's server.

    Attributes:
        invite: The code of the invite that users are given: what follows discord.gg/.
        api: Where Discord's API answers.
    """

    invite: str | None = None
    api: Value = "https://discord.com/api/v10"


@dataclass(frozen=True, slots=True, kw_only=True)
class Github:
    """Where users report issues.

    Attributes:
        repository: ``OWNER/NAME``.
        answer_days: How old an open issue without an answer may become, in days.
        token: A token that may read issues; without one GitHub answers 60 requests an hour.
        api: Where GitHub's API answers.
    """

    repository: str | None = None
    answer_days: int = 7
    token: Value | None = None
    api: Value = "https://api.github.com"


NO_POLICY = "none"
"""Instead of an escalation policy's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pagerduty:
    """Where the rota is kept, if not in oncall.toml.

    Attributes:
        escalation_policy: The id of the policy whose first level is on call, ``P…``; ``none``: oncall.toml says it.
        token: A token that may read.
        api: Where PagerDuty's API answers.
    """

    escalation_policy: Value | None = None
    token: Value = SecretRef("PAGERDUTY_TOKEN")
    api: Value = "https://api.pagerduty.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """Where users are helped.

    Attributes:
        discord: The community's server.
        github: The repository whose issues are answered.
        pagerduty: Who is on call, where oncall.toml does not say it.
    """

    discord: Discord = Discord()
    github: Github = Github()
    pagerduty: Pagerduty = Pagerduty()


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """The Datadog account that watches the application and alerts somebody.

    Attributes:
        api: Where its API answers: by site, https://api.datadoghq.eu for example.
        api_key: The account's API key.
        application_key: A person's key that may read monitors.
        application_tag: The tag of the monitors that watch the application.
        database_tag: The tag of those that watch its database.
    """

    api: Value = "https://api.datadoghq.com"
    api_key: Value = SecretRef("DATADOG_API_KEY")
    application_key: Value = SecretRef("DATADOG_APPLICATION_KEY")
    application_tag: str = "service:praviel"
    database_tag: str = "service:praviel-postgres"
