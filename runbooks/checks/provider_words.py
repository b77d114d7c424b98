"""Sums up what the providers of language models tell of one thing: each in its own way, some not at all."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from runbooks.checks.api_keys import keyed
from runbooks.checks.subject import Subject
from runbooks.engine.check import Finding, failed, nothing_to_ask, passed, skipped
from runbooks.engine.errors import SystemFault


class Kind(enum.Enum):
    """Whether it is as it should be; ``NOTHING``: no API tells, or nothing is declared to compare it with."""

    GOOD = enum.auto()
    BAD = enum.auto()
    NOTHING = enum.auto()


@dataclass(frozen=True)
class Word:
    """What one provider tells."""

    kind: Kind
    text: str


def undeclared(table: str, **needed: object) -> Word | None:
    """What the inventory must hold before a provider can be asked, or nothing if it is all there."""
    missing = [f"{table}.{name}" for name, value in needed.items() if value is None]
    return Word(Kind.NOTHING, f"declare {', '.join(missing)}") if missing else None


def summed(
    subject: Subject, id: str, expected: str, ask: Mapping[str, Callable[[Subject], Word]], mend: str
) -> Finding:
    """One finding over the providers that the application has a key for.

    Args:
        ask: What asks each of them.
        mend: What to do about a bad one.

    Raises:
        SystemFault: one could not be asked, and none told anything bad.
    """
    words: dict[str, Word] = {}
    faults: list[SystemFault] = []
    for vendor in keyed(subject):
        try:
            words[vendor.name] = ask[vendor.name](subject)
        except SystemFault as fault:
            faults.append(fault)
    if not words and not faults:
        return skipped(expected, "the application has no key of any provider")
    told = {kind: [f"{name}: {word.text}" for name, word in words.items() if word.kind is kind] for kind in Kind}
    if told[Kind.BAD]:
        return failed(expected, "; ".join(told[Kind.BAD]), mend)
    if faults:
        raise faults[0]
    if told[Kind.NOTHING]:
        why = "; ".join([*told[Kind.NOTHING], *told[Kind.GOOD]])
        return nothing_to_ask(expected, why, f"see the providers' dashboards, then: invoke checklist.attest {id}")
    return passed(expected, "; ".join(told[Kind.GOOD]))
