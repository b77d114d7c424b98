"""Which snapshots are kept, by the words that operators know of restic and borg (``--keep-daily`` …). Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """How many snapshots are kept.

    Of each day, ISO week, month or year (UTC) that has one, the newest counts; so many of those periods are looked
    back to. Where there are fewer of them, the oldest snapshot is kept besides, until it has grown old enough to count.
    """

    last: int = 0
    daily: int = 0
    weekly: int = 0
    monthly: int = 0
    yearly: int = 0


@dataclass(frozen=True)
class Taken:
    """A snapshot as far as its age goes."""

    id: str
    at: datetime


_PERIODS: Mapping[str, Callable[[Taken], str]] = {
    "last": lambda taken: taken.id,
    "daily": lambda taken: f"{taken.at.astimezone(UTC):%Y-%m-%d}",
    "weekly": lambda taken: f"{taken.at.astimezone(UTC):%G-W%V}",
    "monthly": lambda taken: f"{taken.at.astimezone(UTC):%Y-%m}",
    "yearly": lambda taken: f"{taken.at.astimezone(UTC):%Y}",
}


def kept(known: Sequence[Taken], keep: Keep) -> dict[str, list[str]]:
    """The ids of the snapshots that are kept, each with why."""
    newest_first = sorted(known, key=lambda taken: (taken.at, taken.id), reverse=True)
    reasons: dict[str, list[str]] = {}
    for field in fields(keep):
        left, before = getattr(keep, field.name), ""
        for taken in newest_first:
            period = _PERIODS[field.name](taken)
            if left and (period != before or taken is newest_first[-1]):
                reasons.setdefault(taken.id, []).append(
                    field.name if field.name == "last" else f"{field.name} {period}"
                )
                left -= 1
                before = period
    return reasons
