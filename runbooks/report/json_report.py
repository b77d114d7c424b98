"""A run as JSON, for machines; ``verify.schema.json`` beside this file describes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runbooks.engine.journal import Record
from runbooks.report.reading import read
from runbooks.report.tally import VERDICTS, SectionView, sections
from runbooks.report.text import plain
from runbooks.report.view import CheckView, StepView


def render(records: Sequence[Record], log: str | None = None) -> dict[str, Any]:
    """The run as JSON-like data; `log` is where its run log is."""
    run = read(records)
    conclusion = run.conclusion or {}
    report = {
        "run": run.id,
        "runbook": run.runbook,
        "environment": run.environment,
        "sandbox": run.sandbox,
        "release": _part(run.release, "commit", "fingerprint", "text"),
        "verdict": run.verdict or None,
        "line": run.line or None,
        "started": run.started.isoformat(timespec="milliseconds"),
        "finished": run.last.isoformat(timespec="milliseconds") if run.end else None,
        "status": run.status,
        "error": run.end.error or None if run.end else None,
        "mend": run.end.mend or None if run.end else None,
        "partial": conclusion.get("partial"),
        "coverage": _part(conclusion.get("coverage"), "items", "built", "selected"),
        "sections": [_section(part) for part in sections(run)],
        "steps": [_step(step) for step in run.steps],
        "checks": [_check(check) for check in run.checks],
        "exit_code": run.end.exit_code if run.end else None,
        "log": log,
    }
    return {key: _harmless(value) for key, value in report.items()}


def _part(facts: Mapping[str, Any] | None, *keys: str) -> dict[str, Any] | None:
    return {key: facts[key] for key in keys} if facts else None


def _section(part: SectionView) -> dict[str, Any]:
    facts = {"title": part.title, "gated": part.gated, "items": part.items, "built": part.built}
    return {**facts, **{word: part.counts[word] for word in VERDICTS}, "not_asked": len(part.open)}


def _step(step: StepView) -> dict[str, Any]:
    return {
        "name": step.name,
        "title": step.title,
        "outcome": step.word,
        "text": step.text or None,
        "seconds": step.seconds,
        "attempts": step.attempts,
    }


def _check(check: CheckView) -> dict[str, Any]:
    asked = check.verdict is not None
    return {
        "id": check.id,
        "number": check.number,
        "section": check.section,
        "title": check.title,
        "severity": check.severity,
        "verdict": check.verdict,
        "evidence": check.evidence,
        "expected": check.expected if asked else None,
        "found": check.found if asked else None,
        "mend": check.mend or None,
        "seconds": check.seconds if asked else None,
        "attempts": check.attempts,
        "depends_on": list(check.depends_on),
        "reused": {"run": check.reused.run, "at": check.reused.at} if check.reused else None,
    }


def _harmless(value: Any) -> Any:
    """The same data; what is printed may end on a terminal, so its texts hold no control characters."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, dict):
        return {key: _harmless(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_harmless(each) for each in value]
    return value
