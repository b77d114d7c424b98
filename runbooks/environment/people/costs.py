"""``costs.toml``: what everything costs a month now, what it will cost, and what is kept back for a bad month."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from runbooks.environment.people.days import SLACK, Day, today
from runbooks.environment.people.strict import Strict
from runbooks.environment.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A bill that somebody read.

    Attributes:
        monthly: What it comes to in a month.
        on: The day on which it was read.
        source: Where: the page of the provider's console, for example.
    """

    monthly: float
    on: Day
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a larger scale will cost.

    Attributes:
        level: Which scale, such as "10 000 users".
        monthly: What it comes to in a month.
        on: The day on which it was worked out.
    """

    level: str
    monthly: float
    on: Day


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """Money for a month in which everything costs more.

    Attributes:
        amount: How much is kept back.
        share: The least part of a usual month's cost that it must come to.
    """

    amount: float
    share: float = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs(Strict):
    """The file. All amounts are in one currency.

    Attributes:
        currency: Three capital letters.
        hosting: The platform.
        database: PostgreSQL; 0 where the platform's bill holds it.
        redis: Redis, likewise.
        ai: All providers of language models together.
        email: The mail provider.
        estimate: One for each scale that is planned for.
        reserve: What is kept back.
    """

    currency: str
    hosting: Figure | None = None
    database: Figure | None = None
    redis: Figure | None = None
    ai: Figure | None = None
    email: Figure | None = None
    estimate: tuple[Estimate, ...] = ()
    reserve: Reserve | None = None

    @property
    def figures(self) -> Mapping[str, Figure | None]:
        """The bills by kind."""
        return {
            "hosting": self.hosting,
            "database": self.database,
            "redis": self.redis,
            "ai": self.ai,
            "email": self.email,
        }


def problems(costs: Costs, now: datetime) -> Iterator[Problem]:
    """What is wrong with a file whose keys and types are right."""
    if not (len(costs.currency) == 3 and costs.currency.isascii() and costs.currency.isupper()):
        found = repr(costs.currency[:10])
        yield Problem(("currency",), "'currency' must be three capital letters", found=found, mend="write EUR or USD")
    amounts: dict[tuple[str | int, ...], float] = {}
    days: dict[tuple[str | int, ...], date] = {}
    for kind, figure in costs.figures.items():
        if figure:
            amounts[kind, "monthly"], days[kind, "on"] = figure.monthly, figure.on
    for place, estimate in enumerate(costs.estimate):
        path: tuple[str | int, ...] = ("estimate", place)
        amounts[*path, "monthly"], days[*path, "on"] = estimate.monthly, estimate.on
    if costs.reserve:
        amounts["reserve", "amount"], amounts["reserve", "share"] = costs.reserve.amount, costs.reserve.share
    for where, amount in amounts.items():
        if not (math.isfinite(amount) and amount >= 0):
            yield Problem(where, f"'{where[-1]}' must be 0 or more", found=f"the number {amount:g}")
    for where, day in days.items():
        if day > today(now) + SLACK:
            mend = "write the day on which it was read"
            yield Problem(where, f"'{where[-1]}' is in the future", found=f"{day}", mend=mend)
