"""What ran when, as a Mermaid chart: the steps, and of many checks the slowest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from runbooks.engine.outcome import Outcome, Verdict
from runbooks.report.escape import task
from runbooks.report.view import CheckView, RunView, StepView

MAX_CHECKS = 30
_MS = timedelta(milliseconds=1)

_TAGS = {"failed": "crit, ", "aborted": "crit, ", "unknown": "active, ", "warned": "active, "}
_MARKS: dict[str, str] = {
    **dict.fromkeys((Outcome.OK, Outcome.CHANGED, Verdict.PASSED), "✓"),
    **dict.fromkeys((Outcome.FAILED, Outcome.ABORTED), "✗"),
    Verdict.UNKNOWN: "?",
    Verdict.WARNED: "!",
}


@dataclass(frozen=True)
class Bar:
    """One line of the chart, in milliseconds of the chart's axis."""

    section: str
    label: str
    tag: str
    start: int
    end: int


@dataclass(frozen=True)
class Chart:
    """The bars, and how the time axis is written."""

    bars: tuple[Bar, ...]
    axis: str
    clock: bool
    """Whether the axis is the time of day, for a run of more than a minute, or seconds since the beginning."""
    shown: int
    asked: int
    """How many checks have a bar, of how many that were asked."""

    def lines(self) -> Iterator[str]:
        """Mermaid's source."""
        yield '%%{init: {"gantt": {"leftPadding": 180}}}%%'
        yield from ("gantt", "    dateFormat x", f"    axisFormat {self.axis}", "    todayMarker off")
        section = ""
        for bar in self.bars:
            if bar.section != section:
                section = bar.section
                yield f"    section {task(section, 30)}"
            yield f"    {bar.label} :{bar.tag}{bar.start}, {bar.end}"


def chart(run: RunView) -> Chart:
    """The chart of a run, of a readable length."""
    asked = [check for check in run.checks if check.started is not None and check.attempts]
    slowest = {check.id for check in sorted(asked, key=lambda check: -check.seconds)[:MAX_CHECKS]}
    shown = [check for check in asked if check.id in slowest]
    spans = _steps(run.steps) + _checks(shown)
    begin = min((start for _, _, _, start, _ in spans), default=run.started)
    longest = max((_ms(end - begin) for _, _, _, _, end in spans), default=0)
    clock = longest >= 60_000  # Mermaid writes in the reader's time zone, which does not move seconds
    origin = datetime.fromtimestamp(0, UTC) if clock else begin
    thinnest = max(1, longest // 200)  # a bar of no width can't be seen
    bars = tuple(
        Bar(section, label, tag, _ms(start - origin), _ms(max(end - start, thinnest * _MS) + (start - origin)))
        for section, label, tag, start, end in spans
    )
    return Chart(bars, "%H:%M:%S" if clock else "%S.%L s", clock, len(shown), len(asked))


Span = tuple[str, str, str, datetime, datetime]


def _steps(steps: Sequence[StepView]) -> list[Span]:
    return [
        ("Steps", _label(step.outcome, step.title), _TAGS.get(step.outcome or "", "done, "), start, step.ended)
        for step in steps
        if step.ended is not None
        for start in [step.ended - timedelta(seconds=step.seconds)]
    ]


def _checks(checks: Sequence[CheckView]) -> list[Span]:
    return [
        (check.section, _label(check.verdict, check.label), _TAGS.get(check.verdict or "", "done, "), start, end)
        for check in checks
        for start in [check.started]
        if start is not None
        for end in [start + timedelta(seconds=check.seconds)]
    ]


def _label(end: Outcome | Verdict | None, name: str) -> str:
    """Begins with a mark, so that no name can be read as one of Mermaid's own words."""
    return f"{_MARKS.get(end, '–') if end else '–'} {task(name)}"


def _ms(span: timedelta) -> int:
    return round(span.total_seconds() * 1000)
