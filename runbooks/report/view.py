"""What all renderings share: a run as frozen objects. `reading` makes them of its records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from runbooks.engine.outcome import Outcome, Status, Verdict

URGENT = (Verdict.FAILED, Verdict.UNKNOWN, Verdict.WARNED, Verdict.WAIVED)
"""What a reader must see, in this order, before anything that is well."""

NOT_BEGUN = "not begun"
UNFINISHED = "unfinished"
NOT_ASKED = "not asked"


@dataclass(frozen=True)
class Reuse:
    """The earlier run whose evidence stands in."""

    run: str
    at: str


@dataclass(frozen=True)
class CheckView:
    """A check that was selected; without a verdict as long as it was not asked."""

    id: str
    number: int | None
    section: str
    title: str
    severity: str
    evidence: str
    phase: str
    depends_on: tuple[str, ...]
    gate: bool
    verdict: Verdict | None = None
    expected: str = ""
    found: str = ""
    mend: str = ""
    reason: str | None = None
    started: datetime | None = None
    seconds: float = 0.0
    attempts: int = 0
    reused: Reuse | None = None
    same_cause: tuple[str, ...] = ()
    """Labels of further checks that this one stands for; see `causes.together`."""

    @property
    def word(self) -> str:
        return self.verdict.value if self.verdict else NOT_ASKED

    @property
    def label(self) -> str:
        """As the operators' document knows it: its number there, if it has one, and its id."""
        return f"{self.number} {self.id}" if self.number is not None else self.id


@dataclass(frozen=True)
class Undo:
    """What came of taking a step back; without an outcome if that was interrupted."""

    outcome: Outcome | None
    text: str
    seconds: float


@dataclass(frozen=True)
class StepView:
    """A step as it stands: its outcome, or how far it got."""

    name: str
    title: str
    outcome: Outcome | None = None
    begun: bool = False
    text: str = ""
    reason: str | None = None
    seconds: float = 0.0
    attempts: int = 0
    ended: datetime | None = None
    undo: Undo | None = None

    @property
    def word(self) -> str:
        if self.undo and self.undo.outcome is Outcome.COMPENSATED:
            return Outcome.COMPENSATED.value
        if self.outcome:
            return self.outcome.value
        return UNFINISHED if self.begun else NOT_BEGUN


@dataclass(frozen=True)
class End:
    """How the run ended."""

    status: Status
    exit_code: int
    verdict: str
    error: str
    mend: str
    seconds: float


@dataclass(frozen=True)
class RunView:
    """A run as its records tell it so far."""

    id: str
    runbook: str
    title: str
    environment: str
    label: str
    protected: bool
    sandbox: bool
    operator: str
    tool: str
    parameters: Mapping[str, Any]
    started: datetime
    last: datetime
    records: int
    last_hash: str
    steps: tuple[StepView, ...]
    checks: tuple[CheckView, ...]
    release: Mapping[str, Any] | None = None
    conclusion: Mapping[str, Any] | None = None
    end: End | None = None
    notes: tuple[tuple[datetime, str], ...] = ()
    pages: tuple[Mapping[str, Any], ...] = ()
    """Figures over time, as a step drew them: ``title``, ``notes``, ``charts`` and ``table``."""

    @property
    def seconds(self) -> float:
        """Wall time up to the last record, pauses between two processes included."""
        return (self.last - self.started).total_seconds()

    @property
    def status(self) -> str:
        return self.end.status.value if self.end else Status.RUNNING.value

    @property
    def verdict(self) -> str:
        """The verdict's word, or nothing."""
        return str(self.conclusion["verdict"]) if self.conclusion else self.end.verdict if self.end else ""

    @property
    def line(self) -> str:
        """The verdict's whole sentence, or nothing."""
        return str(self.conclusion["line"]) if self.conclusion else ""

    @property
    def unfinished(self) -> tuple[StepView, ...]:
        """The steps that the run was in the middle of when its last record was written."""
        return tuple(step for step in self.steps if step.word == UNFINISHED)

    @property
    def not_begun(self) -> tuple[StepView, ...]:
        return tuple(step for step in self.steps if step.word == NOT_BEGUN)

    @property
    def urgent(self) -> tuple[CheckView, ...]:
        """The checks that need a reader: failed, unknown, warned, waived; each in the document's order."""
        return tuple(check for verdict in URGENT for check in self.checks if check.verdict is verdict)
