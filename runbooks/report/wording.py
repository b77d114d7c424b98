"""The sentences that both consoles show, whatever they make them look like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runbooks.engine.outcome import Outcome, Status
from runbooks.report.tally import VERDICTS, SectionView
from runbooks.report.text import count, duration, one_line, plain
from runbooks.report.view import CheckView, End, RunView, StepView

NAMED = 6
"""So many checks of one cause are named on a screen; the log names all."""

BAD = ("failed", "aborted", "NO-GO")
GOOD = ("passed", "attested", "ok", "changed", "GO")

_MARKS = {"skipped": "–", "not asked": "–", "not begun": "–", "compensated": "←", "waived": "~"}


def mark(word: str) -> str:
    """The sign beside an outcome or a verdict: never alone, and never by colour alone."""
    if word in BAD:
        return "✗"
    if word in GOOD:
        return "✓"
    return _MARKS.get(word, "?" if word == "unknown" else "!")


@dataclass(frozen=True)
class Detail:
    """A labelled sentence below a line: what was expected, found, and what to do next."""

    label: str
    text: str


def details(check: CheckView) -> list[Detail]:
    """What a reader needs to mend a check."""
    told = [Detail("expected", one_line(check.expected)), Detail("found", one_line(check.found))]
    if check.mend:
        told.append(Detail("next", one_line(check.mend)))
    if check.reused:
        told.append(Detail("evidence", one_line(f"of {check.reused.at}, run {check.reused.run}")))
    if check.same_cause:
        told.append(Detail("the same", one_line(f"for {count(len(check.same_cause), 'more check')}: {others(check)}")))
    return told


def others(check: CheckView) -> str:
    """The first few of the checks that have the same cause."""
    rest = len(check.same_cause) - NAMED
    return ", ".join(check.same_cause[:NAMED]) + (f" and {rest} more" if rest > 0 else "")


def aside(check: CheckView) -> str:
    """How much it matters and how it was come by."""
    facts = [check.severity, check.reason or "", f"{check.attempts} tries" if check.attempts > 1 else ""]
    return one_line(", ".join(fact for fact in facts if fact))


def headline(run: RunView) -> str:
    """What runs where."""
    protected = ", protected" if run.protected else ""
    return one_line(f"{run.runbook} on {run.label}{protected}: {run.title}")


def took(step: StepView) -> str:
    """A step's time, and its tries if there were several."""
    tries = f", {step.attempts} tries" if step.attempts > 1 else ""
    return duration(step.seconds) + tries


def undo_word(step: StepView) -> str:
    """What came of taking a step back."""
    undone = step.undo is not None and step.undo.outcome is Outcome.COMPENSATED
    return Outcome.COMPENSATED.value if undone else Outcome.FAILED.value


def section_word(part: SectionView) -> str:
    """The worst that a section holds."""
    for word in ("failed", "unknown", "warned"):
        if part.counts[word]:
            return word
    return "passed" if part.counts["passed"] or part.counts["attested"] else "not asked"


def section_counts(part: SectionView) -> str:
    """``23 passed, 1 failed``."""
    told = [f"{part.counts[word]} {word}" for word in VERDICTS if part.counts[word]]
    if part.open:
        told.append(f"{len(part.open)} not asked")
    return ", ".join(told) or "nothing asked"


def section_built(part: SectionView) -> str:
    """How much of the section can be asked at all: ``24 of 25 built``; nothing where that does not say anything."""
    if not part.items or part.built is None:
        return ""
    return f"{part.built} of {part.items} built"


def ending_word(end: End) -> str:
    """The word whose sign and colour the last sentence has, whatever verdict the runbook puts into it."""
    if end.status is not Status.DONE:
        return "failed"
    return {0: "ok", 3: "failed"}.get(end.exit_code, "warned")


def ending(run: RunView) -> str:
    """The last sentence: the verdict with its environment, or how the run ended."""
    if run.line:
        return one_line(run.line)
    if run.end is None:
        return "not finished"
    where = one_line(run.label)
    if run.end.status is Status.DONE:
        return f"DONE {where}: {count(len(run.steps), 'step')} in {duration(run.end.seconds)}"
    exit_code = f"exit code {run.end.exit_code}"
    return f"{run.end.status.value.upper()} {where}: after {duration(run.end.seconds)}, {exit_code}"


def error(run: RunView) -> Sequence[str]:
    """The error that the run ended with, line by line; nothing if the last thing on the screen says it already."""
    if run.end is None:
        return ()
    said = any(step.text == run.end.error for step in run.steps) and not any(step.undo for step in run.steps)
    return () if said else plain(run.end.error).splitlines()
