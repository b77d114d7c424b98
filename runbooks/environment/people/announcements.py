"""``announcements.toml``: where users are told that something changes or is broken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from runbooks.environment.people.strict import Strict
from runbooks.environment.problem import Problem
from runbooks.environment.value import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One place; either of ``webhook`` and ``page``.

    Attributes:
        name: As people call it.
        webhook: The address of a Discord webhook. Whoever has it can post, so it is a secret.
        page: The public address of a status page.
    """

    name: str
    webhook: Value | None = None
    page: Value | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcements(Strict):
    """The file: an array of tables ``[[channel]]``."""

    channel: tuple[Channel, ...] = ()


def problems(file: Announcements) -> Iterator[Problem]:
    """What is wrong with a file whose keys and types are right."""
    for place, channel in enumerate(file.channel):
        path = ("channel", place)
        if (channel.webhook is None) is (channel.page is None):
            found = "both" if channel.webhook else "neither"
            mend = "keep one of them"
            yield Problem((*path, "name"), "a channel has either 'webhook' or 'page'", found=found, mend=mend)
        if isinstance(channel.webhook, str):
            yield Problem(
                (*path, "webhook"),
                "'channel.webhook' holds a secret; secrets are only named in the inventory",
                found="a text",
                mend='move it to the [secrets] source and write { secret = "DISCORD_WEBHOOK" } here; if the file was '
                "committed or shared, make a new webhook",
            )
