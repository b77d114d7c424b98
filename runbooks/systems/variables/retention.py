"""Which copies of variables are needed for the ENCRYPTION_KEY in them. Pure.

A copy tells which key was in force when it was made, not when that key came or went. So between two copies with
different keys either may have been the one, and clocks of several machines are not one clock: a copy too many costs a
kilobyte, one too few every user's key of a snapshot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby

SLACK = timedelta(days=1)
"""By so much the clocks of the server and of whoever makes copies may differ."""

EVER = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


@dataclass(frozen=True)
class Made:
    """A copy. ``key``: what tells its ENCRYPTION_KEY from others; None: it holds none."""

    id: str
    at: datetime
    key: str | None


def needed(copies: Sequence[Made], moments: Mapping[str, datetime]) -> dict[str, list[str]]:
    """The ids of the copies that are needed, each with why.

    Args:
        moments: When rows were as they are in a snapshot or a database that is kept; by its name.
    """
    reasons: dict[str, list[str]] = {}
    known = sorted(copies, key=lambda each: (each.at, each.id))
    eras = [list(group) for _, group in groupby(known, key=lambda each: each.key)]
    for number, era in enumerate(eras):
        if era[0].key is None:
            continue
        begins = eras[number - 1][-1].at - SLACK if number else EVER[0]
        ends = eras[number + 1][0].at + SLACK if number + 1 < len(eras) else EVER[1]
        why = [f"the key of {name}" for name, at in moments.items() if begins <= at <= ends]
        why += ["the key of now or the one before"] if number >= len(eras) - 2 else []
        if why:
            reasons.setdefault(era[-1].id, []).extend(why)
    for name, at in moments.items():
        if before := [each for each in known if each.at <= at]:  # a drill opens its rows with this one
            reasons.setdefault(before[-1].id, []).append(f"the variables of {name}")
    return reasons
