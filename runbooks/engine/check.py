"""A check is a read-only question with a stable id; its finding says what was wanted and seen, and how to mend it."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic

from runbooks.engine.errors import Reason
from runbooks.engine.outcome import Verdict
from runbooks.engine.step import Tools


class Evidence(enum.StrEnum):
    """How an answer is known, strongest first."""

    PROBE = "probe"
    CONFIG = "config"
    LEDGER = "ledger"
    ATTEST = "attest"


class Phase(enum.StrEnum):
    """When a check makes sense: ahead of a deploy, at any time, or in the day after one."""

    BEFORE = "before"
    LIVE = "live"
    AFTER = "after"


class Severity(enum.StrEnum):
    """What is at stake when the check fails."""

    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"


@dataclass(frozen=True)
class Finding:
    """The answer to a check. ``found`` never holds a secret value."""

    verdict: Verdict
    expected: str
    found: str
    mend: str = ""
    reason: Reason | None = None
    """Why it could not be looked at, where the verdict is ``unknown``."""


def passed(expected: str, found: str) -> Finding:
    """It is as promised; ``found`` says what was seen."""
    return Finding(Verdict.PASSED, expected, found)


def failed(expected: str, found: str, mend: str) -> Finding:
    """It is not as promised."""
    return Finding(Verdict.FAILED, expected, found, mend)


def warned(expected: str, found: str, mend: str) -> Finding:
    """It is as promised, but not as it should be."""
    return Finding(Verdict.WARNED, expected, found, mend)


def skipped(expected: str, why: str) -> Finding:
    """It does not apply here."""
    return Finding(Verdict.SKIPPED, expected, why)


def unknown(expected: str, why: str, mend: str = "", reason: Reason | None = None) -> Finding:
    """It could not be looked at."""
    return Finding(Verdict.UNKNOWN, expected, why, mend, reason)


def nothing_to_ask(expected: str, why: str, mend: str = "") -> Finding:
    """There is no system that could answer, so a person must; see `Check.attestable`."""
    return unknown(expected, why, mend, Reason.NOTHING_TO_ASK)


@dataclass(frozen=True)
class Reused:
    """Evidence of an earlier run that stands in because a limit is spent."""

    run: str
    at: datetime
    finding: Finding


@dataclass(frozen=True)
class Result:
    """A finding with how it was come by. ``seconds`` is wall time over all attempts."""

    check: str
    finding: Finding
    started: datetime
    seconds: float
    attempts: int
    reused: Reused | None = None

    @property
    def verdict(self) -> Verdict:
        return self.finding.verdict


Results = Mapping[str, Result]
"""What is known so far, by check id."""


@dataclass(frozen=True, kw_only=True)
class Check(Generic[Tools]):
    """A question that any run may ask.

    Attributes:
        id: Stable, ``prefix.name``.
        number: Its place in the operators' document, or None if it has no box of its own there.
        section: The document's section.
        look: Asks it. May raise: a SystemFault means it could not be looked at.
        valid_for: How long a ``passed`` may stand in for a look that a spent limit forbids.
        depends_on: Checks that must be good before this one can be looked at.
        after: Checks that, if asked in the same run, are asked first, whatever they come to.
        gate: It sums up what it depends on, so it is looked at whatever they came to.
        target: What it asks; so many checks of one target run at the same time.
        seconds: Its time limit, all attempts together.
        attempts: Tries when it could not be looked at; a ``failed`` is never tried again.
        alone: It measures time, so nothing else may run beside it; the runbook asks it in a step of its own.
        spends: Requests to a provider that cost money.
        attestable: A person's word counts where there is nothing to ask; an answer, bad or good, always wins.
    """

    id: str
    title: str
    number: int | None
    section: str
    severity: Severity
    evidence: Evidence
    phase: Phase
    valid_for: timedelta
    depends_on: tuple[str, ...]
    target: str
    look: Callable[[Tools, Results], Finding]
    after: tuple[str, ...] = ()
    gate: bool = False
    alone: bool = False
    seconds: float = 10.0
    attempts: int = 1
    spends: int = 0
    attestable: bool = False
