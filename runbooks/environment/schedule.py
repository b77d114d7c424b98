"""When an environment's regular work is done: the table ``[schedule]``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from runbooks.environment.problem import Problem

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When what is to be done by a timer. All times are UTC.

    Attributes:
        backup_at: When a snapshot is taken, every day.
        prune_at: When snapshots are pruned, every day, if the inventory says what is kept.
        drill_at: When the drill is done, once a quarter.
        drill_day: On which day of January, April, July and October.
        drill_cluster: Whether the drill restores into a server of its own.
        watch_minute: At which minute of every hour a sample is taken.
    """

    backup_at: str = "02:30"
    prune_at: str = "03:30"
    drill_at: str = "04:30"
    drill_day: int = 2
    drill_cluster: bool = False
    watch_minute: int = 17


def clock(text: str) -> tuple[int, int]:
    """Hour and minute of a time such as ``02:30``; `problems` has refused any other."""
    hour, _, minute = text.partition(":")
    return int(hour), int(minute)


def problems(schedule: Schedule) -> Iterator[Problem]:
    """Times that there are not, or not in every quarter."""
    for key in ("backup_at", "prune_at", "drill_at"):
        if not _TIME.fullmatch(getattr(schedule, key)):
            yield Problem(("schedule", key), f"'schedule.{key}' must be a time of day in UTC", mend='as in "02:30"')
    if schedule.backup_at == schedule.prune_at:
        mend = "leave an hour between them: one changing run at a time holds the environment's lease"
        yield Problem(("schedule", "prune_at"), "'schedule.prune_at' is the same as 'schedule.backup_at'", mend=mend)
    for key, least, most in (("drill_day", 1, 28), ("watch_minute", 0, 59)):
        number = getattr(schedule, key)
        if not least <= number <= most:
            what = f"'schedule.{key}' must be from {least} to {most}"
            yield Problem(("schedule", key), what, found=f"the number {number}")
