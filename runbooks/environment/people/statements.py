"""A person's word: attestations where there is nothing to ask, waivers of what has failed."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from runbooks.environment.people.days import SLACK, Day, today
from runbooks.environment.people.strict import Strict
from runbooks.environment.problem import Problem, did_you_mean

LONGEST_ATTESTATION = timedelta(days=366)
LONGEST_WAIVER = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """Somebody's word that an item holds.

    Attributes:
        item: The item's id.
        statement: What is so.
        by: Whose word it is.
        on: The day on which it was given.
        expires: The last day on which it counts, at most a year later.
        evidence: Where that can be seen: a URL, or a file beside this one. Without it the word does not count.
    """

    item: str
    statement: str
    by: str
    on: Day
    expires: Day
    evidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """An owner's decision to live with a failed item for a while.

    Attributes:
        item: The item's id.
        reason: Why.
        owner: Who answers for it.
        on: The day on which it was decided.
        until: The last day on which it counts, at most 90 days later.
    """

    item: str
    reason: str
    owner: str
    on: Day
    until: Day


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestations(Strict):
    """``attestations.toml``: an array of tables ``[[attestation]]``; the newest of an item counts."""

    attestation: tuple[Attestation, ...] = ()

    def of(self, item: str) -> Attestation | None:
        """The newest for this item."""
        found = [each for each in self.attestation if each.item == item]
        return max(found, key=lambda each: (each.on, each.expires), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waivers(Strict):
    """``waivers.toml``: an array of tables ``[[waiver]]``; the newest of an item counts."""

    waiver: tuple[Waiver, ...] = ()

    def of(self, item: str) -> Waiver | None:
        """The newest for this item."""
        found = [each for each in self.waiver if each.item == item]
        return max(found, key=lambda each: (each.on, each.until), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """What may be attested or waived.

    Attributes:
        known: Every id.
        attestable: Those for which a person's word can count.
        gates: Those that sum up others, which are waived one by one.
    """

    known: Collection[str]
    attestable: Collection[str]
    gates: Collection[str]


def attestation_problems(file: Attestations, items: Items, now: datetime) -> Iterator[Problem]:
    """What is wrong with attestations whose keys and types are right."""
    for place, each in enumerate(file.attestation):
        path = ("attestation", place)
        if each.item not in items.known:
            yield _no_item((*path, "item"), each.item, items.known)
        elif each.item not in items.attestable:
            yield Problem(
                (*path, "item"),
                f"{each.item} can't be attested: it is asked of a system",
                mend=f"remove it; those that can: {', '.join(sorted(items.attestable))}",
            )
        yield from _span(path, ("expires", each.expires), each.on, LONGEST_ATTESTATION, now)


def waiver_problems(file: Waivers, items: Items, now: datetime) -> Iterator[Problem]:
    """What is wrong with waivers whose keys and types are right."""
    for place, each in enumerate(file.waiver):
        path = ("waiver", place)
        if each.item not in items.known:
            yield _no_item((*path, "item"), each.item, items.known)
        elif each.item in items.gates:
            mend = "waive the items that failed instead"
            yield Problem((*path, "item"), f"{each.item} sums up other items, so it can't be waived", mend=mend)
        yield from _span(path, ("until", each.until), each.on, LONGEST_WAIVER, now)


def _no_item(path: tuple[str | int, ...], item: str, known: Collection[str]) -> Problem:
    mend = did_you_mean(item, known) or "invoke checklist.coverage lists them"
    return Problem(path, f"there is no item '{item[:60]}'", mend=mend)


def _span(
    path: tuple[str | int, ...], end: tuple[str, date], on: date, longest: timedelta, now: datetime
) -> Iterator[Problem]:
    name, last = end
    if on > today(now) + SLACK:
        yield Problem((*path, "on"), "'on' is in the future", found=f"{on}", mend="write the day on which it was said")
    elif last < on:
        yield Problem((*path, name), f"'{name}' is before 'on'", found=f"{last}, before {on}", mend="correct the dates")
    elif last - on > longest:
        found = f"{(last - on).days} days after {on}"
        mend = f"{on + longest} at the latest, then it has to be looked at again"
        yield Problem((*path, name), f"'{name}' is more than {longest.days} days away", found=found, mend=mend)


def evidence_problem(evidence: str, folder: Path) -> str:
    """What is wrong with where a word can be verified, or nothing."""
    if not evidence:
        return "without evidence"
    parts = urlsplit(evidence)
    if parts.scheme in ("http", "https"):
        return "" if parts.hostname else f"its evidence {evidence} is no URL"
    return "" if (folder / evidence).is_file() else f"its evidence is not there: {evidence}"
