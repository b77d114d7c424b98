"""What all renderings share: a run's records read into frozen objects. Pure; nothing is decided here.

A resumed run performs its steps again, so a step or a check may have several records; the views tell them as one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from runbooks.engine.journal import Record
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
    notes: tuple[tuple[datetime, str], ...] = field(default=())

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


def view(records: Sequence[Record]) -> RunView:
    """Read a run's records, however far they go; the first is of kind ``run``."""
    header = records[0].data
    return RunView(
        id=str(header["run"]),
        runbook=str(header["runbook"]),
        title=str(header["title"]),
        environment=str(header["environment"]),
        label=str(header["label"]),
        protected=bool(header["protected"]),
        sandbox=bool(header["sandbox"]),
        operator=str(header["operator"]),
        tool=str(header["tool"]),
        parameters=header["parameters"],
        started=records[0].at,
        last=records[-1].at,
        records=len(records),
        last_hash=records[-1].hash,
        steps=_steps(header["steps"], records),
        checks=_checks(records),
        release=_last(records, "release"),
        conclusion=_last(records, "conclusion"),
        end=_end(records),
        notes=tuple(_note(record) for record in records if record.kind in ("note", "lease", "resumed")),
    )


def _last(records: Sequence[Record], kind: str) -> Mapping[str, Any] | None:
    return next((record.data for record in reversed(records) if record.kind == kind), None)


def _end(records: Sequence[Record]) -> End | None:
    for record in reversed(records):
        if record.kind == "resumed":
            return None
        if record.kind == "end":
            data = record.data
            return End(
                status=Status(data["status"]),
                exit_code=int(data["exit_code"]),
                verdict=str(data["verdict"] or ""),
                error=str(data["error"] or ""),
                mend=str(data["mend"] or ""),
                seconds=float(data["seconds"]),
            )
    return None


def _note(record: Record) -> tuple[datetime, str]:
    data = record.data
    if record.kind == "resumed":
        return record.at, f"resumed by {data['operator']}"
    if record.kind == "lease":
        return record.at, f"lease {data['token']} taken by {data['holder']}: {data['reason']}"
    return record.at, f"{data['step']}: {data['text']}" if data.get("step") else str(data["text"])


def _steps(declared: Sequence[Mapping[str, Any]], records: Sequence[Record]) -> tuple[StepView, ...]:
    steps = [
        _step(str(each["name"]), str(each["title"]), [r for r in records if r.data.get("step") == each["name"]])
        for each in declared
    ]
    if _end(records) is None:
        # Without an end the first step that has no outcome is where the run is, or was cut off: a step that only reads
        # leaves no intent.
        at = next((place for place, step in enumerate(steps) if step.outcome is None), None)
        if at is not None:
            steps[at] = replace(steps[at], begun=True)
    return tuple(steps)


def _step(name: str, title: str, records: Sequence[Record]) -> StepView:
    outcomes = [record for record in records if record.kind == "outcome"]
    begun = any(record.kind == "intent" for record in records)
    undo = _undo(records)
    reopened = bool(records) and records[-1].kind == "intent"
    if not outcomes or reopened:
        return StepView(name, title, begun=begun, undo=undo)
    last = _telling(outcomes)
    return StepView(
        name=name,
        title=title,
        outcome=Outcome(last.data["outcome"]),
        begun=True,
        text=str(last.data["text"]),
        reason=last.data["reason"],
        seconds=float(last.data["seconds"]),
        attempts=int(last.data["attempt"]),
        ended=last.at,
        undo=undo,
    )


def _telling(outcomes: Sequence[Record]) -> Record:
    """The last outcome; but “already so” after a resume does not hide that this run changed it."""
    last = outcomes[-1]
    if last.data["outcome"] == Outcome.OK:
        changed = [record for record in outcomes if record.data["outcome"] == Outcome.CHANGED]
        return changed[-1] if changed else last
    return last


def _undo(records: Sequence[Record]) -> Undo | None:
    for record in reversed(records):
        if record.kind == "undo-outcome":
            data = record.data
            return Undo(Outcome(data["outcome"]), str(data["text"]), float(data["seconds"]))
        if record.kind == "undo-intent":
            return Undo(None, "begun, no outcome was recorded", 0.0)
    return None


def _checks(records: Sequence[Record]) -> tuple[CheckView, ...]:
    """Every selected check in the document's order: by section as first met, numbered ones first in each."""
    known: dict[str, CheckView] = {}
    for record in records:
        if record.kind == "checks":
            for data in record.data["checks"]:
                known.setdefault(data["id"], CheckView(**_identity(data)))
        elif record.kind == "check":
            known[record.data["id"]] = _check(record.data)
    lowest: dict[str, float] = {}
    for check in known.values():
        number = check.number if check.number is not None else float("inf")
        lowest[check.section] = min(number, lowest.get(check.section, number))
    return tuple(
        sorted(
            known.values(),
            key=lambda check: (lowest[check.section], check.section, check.number is None, check.number or 0),
        )
    )


def _identity(data: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": str(data["id"]),
        "number": data["number"],
        "section": str(data["section"]),
        "title": str(data["title"]),
        "severity": str(data["severity"]),
        "evidence": str(data["evidence"]),
        "phase": str(data["phase"]),
        "depends_on": tuple(data["depends_on"]),
        "gate": bool(data["gate"]),
    }


def _check(data: Mapping[str, Any]) -> CheckView:
    reused = data["reused"]
    return CheckView(
        **_identity(data),
        verdict=Verdict(data["verdict"]),
        expected=str(data["expected"]),
        found=str(data["found"]),
        mend=str(data["mend"]),
        reason=data["reason"],
        started=datetime.fromisoformat(data["started"]),
        seconds=float(data["seconds"]),
        attempts=int(data["attempts"]),
        reused=Reuse(str(reused["run"]), str(reused["at"])) if reused else None,
    )
