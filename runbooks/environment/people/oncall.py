"""``oncall.toml``: who answers when something breaks, and when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from runbooks.environment.people.days import Moment
from runbooks.environment.people.strict import Strict
from runbooks.environment.problem import Problem, did_you_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who can be called.

    Attributes:
        name: As a shift names them.
        contact: A telephone number with its country code, or an e-mail address.
    """

    name: str
    contact: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """From when until when somebody is on call.

    Attributes:
        person: Who.
        begins: From when.
        ends: Until when; the next shift may begin at the same moment.
    """

    person: str
    begins: Moment
    ends: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCall(Strict):
    """The file: arrays of tables ``[[person]]`` and ``[[shift]]``."""

    person: tuple[Person, ...] = ()
    shift: tuple[Shift, ...] = ()


def problems(rota: OnCall) -> Iterator[Problem]:
    """What is wrong with a file whose keys and types are right."""
    names = Counter(person.name for person in rota.person)
    for place, person in enumerate(rota.person):
        if names[person.name] > 1:
            path = ("person", place, "name")
            yield Problem(path, f"two people are called '{person.name[:60]}'", mend="tell them apart")
    for place, shift in enumerate(rota.shift):
        if shift.person not in names:
            mend = did_you_mean(shift.person, names) or "add a [[person]] of this name"
            yield Problem(("shift", place, "person"), f"there is no person '{shift.person[:60]}'", mend=mend)
        if shift.ends <= shift.begins:
            path = ("shift", place, "ends")
            yield Problem(path, "a shift ends before it begins", found=f"{shift.ends}", mend="correct the times")


def gaps(shifts: Iterable[Shift], begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The spans between two moments in which nobody is on call."""
    covered = begin
    for shift in sorted(shifts, key=lambda shift: shift.begins):
        if shift.begins >= end:
            break
        if shift.begins > covered:
            yield covered, shift.begins
        covered = max(covered, shift.ends)
    if covered < end:
        yield covered, end
