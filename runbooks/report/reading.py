"""Reads a run's records into what the renderings share. Pure; nothing is decided here.

A resumed run performs its steps again, so a step or a check may have several records; they are told as one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from runbooks.engine.journal import Record
from runbooks.engine.outcome import Outcome, Status, Verdict
from runbooks.report.view import CheckView, End, Reuse, RunView, StepView, Undo


def read(records: Sequence[Record]) -> RunView:
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
        release=_release(records),
        conclusion=_last(records, "conclusion"),
        end=_end(records),
        notes=tuple(_note(record) for record in records if record.kind in ("note", "lease", "resumed", "accepted")),
        pages=tuple({str(r.data["title"]): r.data for r in records if r.kind == "page"}.values()),
    )


def _last(records: Sequence[Record], kind: str) -> Mapping[str, Any] | None:
    return next((record.data for record in reversed(records) if record.kind == kind), None)


def _release(records: Sequence[Record]) -> Mapping[str, Any] | None:
    data = _last(records, "release")
    return None if data is None else {"commit": None, "fingerprint": None, **data, "text": text_of("release", data)}


def text_of(kind: str, data: Mapping[str, Any]) -> str:
    """What a record says; one without a text is told by its kind: no rendering ends where a step forgot it."""
    return str(data.get("text") or kind)


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
        return record.at, f"{'taken back' if data.get('abort') else 'resumed'} by {data['operator']}"
    if record.kind == "lease":
        return record.at, f"lease {data['token']} taken by {data['holder']}: {data['reason']}"
    text = text_of(record.kind, data)
    return record.at, f"{data['step']}: {text}" if data.get("step") else text


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
    begun = any(record.kind in ("intent", "waits") for record in records)
    undo = _undo(records)
    reopened = bool(records) and records[-1].kind in ("intent", "waits")
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
            known[record.data["id"]] = check_of(record)
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


def check_of(record: Record) -> CheckView:
    """A check's result, as its record tells it."""
    data = record.data
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
