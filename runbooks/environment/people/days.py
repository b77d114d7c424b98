"""Days and moments as people write them, without quotes: ``2026-05-31``, ``2026-05-31T18:00:00Z``."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator

from runbooks.environment.shape import MOMENT


def _written(value: object) -> str:
    """A date or time of the file; a text that looks like one is refused."""
    if isinstance(value, dict) and value.keys() == {MOMENT}:
        return str(value[MOMENT])
    raise ValueError(value)


def _day(value: object) -> date:
    return date.fromisoformat(_written(value))


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(_written(value))
    if moment.tzinfo is None:
        raise ValueError(value)
    return moment


Day = Annotated[date, BeforeValidator(_day)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
"""With its offset: without one nobody in another place knows when it is."""


SLACK = timedelta(days=1)
"""Whoever writes a day down may be a day ahead of UTC."""


def today(now: datetime) -> date:
    """The day of UTC."""
    return now.astimezone(UTC).date()


def over(day: date, now: datetime) -> bool:
    """Whether this day has ended, in UTC."""
    return today(now) > day
