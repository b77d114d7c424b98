"""A run for people who wait for it: plain lines here, for pipes and CI; `live` has the one for terminals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import IO

from runbooks.engine.journal import Record
from runbooks.engine.outcome import Status, Verdict
from runbooks.engine.recorder import Observer
from runbooks.engine.runs import Summary
from runbooks.report import markdown, wording
from runbooks.report.causes import together
from runbooks.report.reading import check_of, read, text_of
from runbooks.report.tally import SectionView, sections
from runbooks.report.text import count, for_stream, one_line, plain
from runbooks.report.view import CheckView, RunView


def choose(stream: IO[str], log_path: str, environ: Mapping[str, str]) -> Observer:
    """The console that suits the stream: live on a terminal, plain lines elsewhere; both end with `log_path`."""
    if not stream.isatty() or environ.get("TERM", "dumb") == "dumb":
        return PlainConsole(stream, log_path)
    from runbooks.report.live import LiveConsole  # loads rich, which takes longer than a short run

    return LiveConsole(stream, log_path, environ)


class PlainConsole:
    """One line for each thing that ends, without any control characters."""

    def __init__(self, stream: IO[str], log_path: str) -> None:
        self._stream = stream
        self._log_path = log_path
        self._tellers: dict[str, Callable[[Record, RunView], None]] = {
            "run": self._begun,
            "resumed": self._noted,
            "note": self._noted,
            "accepted": self._noted,
            "lease": self._noted,
            "release": self._release,
            "outcome": self._step,
            "undo-outcome": self._undone,
            "checks": self._selected,
            "end": self._ended,
        }

    def recorded(self, record: Record, records: Sequence[Record]) -> None:
        """Tell what the record says, if it is worth a line."""
        teller = self._tellers.get(record.kind)
        if record.kind == "check":
            self._check(check_of(record))  # there are many, and the run so far is long to read
        elif teller:
            teller(record, read(records))
        else:
            return
        self._stream.flush()

    def said(self, step: str, text: str) -> None:  # noqa: ARG002 - what is said stands below its step
        """Tell how far a step is."""
        for line in plain(text).splitlines():
            self._line(f"  ... {line}")
        self._stream.flush()

    def _line(self, text: str = "") -> None:
        self._stream.write(for_stream(text.rstrip(), self._stream) + "\n")

    def _lines(self, indent: str, lines: Iterable[str]) -> None:
        for line in lines:
            self._line(indent + line)

    def _begun(self, _record: Record, run: RunView) -> None:
        self._line(wording.headline(run))
        self._line(f"run {one_line(run.id)}, {one_line(run.operator)}, {one_line(run.tool)}")
        self._line()

    def _noted(self, _record: Record, run: RunView) -> None:
        self._line(f"note         {one_line(run.notes[-1][1])}")

    def _release(self, record: Record, _run: RunView) -> None:
        self._line(f"release      {one_line(text_of(record.kind, record.data))}")

    def _step(self, record: Record, run: RunView) -> None:
        step = next(step for step in run.steps if step.name == record.data["step"])
        word = str(record.data["outcome"])
        text = plain(record.data["text"]).splitlines()
        self._line(f"{word:<12} {one_line(step.title)} ({wording.took(step)}){': ' if text else ''}{''.join(text[:1])}")
        self._lines(" " * 13, text[1:])

    def _undone(self, record: Record, run: RunView) -> None:
        step = next(step for step in run.steps if step.name == record.data["step"])
        text = one_line(step.undo.text) if step.undo else ""
        self._line(f"{wording.undo_word(step):<12} Undo: {one_line(step.title)}: {text}")

    def _selected(self, record: Record, _run: RunView) -> None:
        self._line(f"asking       {count(len(record.data['checks']), 'check')}")

    def _check(self, check: CheckView) -> None:
        if check.verdict is not Verdict.PASSED or check.attempts > 1 or check.reused:
            tries = f" ({check.attempts} tries)" if check.attempts > 1 else ""
            reused = (
                f" (evidence of {one_line(check.reused.at)}, run {one_line(check.reused.run)})" if check.reused else ""
            )
            self._line(f"  {check.word:<10} {one_line(check.label)}{tries}: {one_line(check.found)}{reused}")

    def _ended(self, _record: Record, run: RunView) -> None:
        assert run.end is not None
        if run.checks:
            self._line()
            self._lines("", _summary(sections(run)))
        for check in together(run.urgent):
            self._line()
            self._lines("", _block(check))
        self._line()
        self._lines("", wording.error(run))
        if run.end.status is not Status.DONE and run.line:
            self._line(f"{run.end.status.value}, exit code {run.end.exit_code}")
        self._line(wording.ending(run))
        if run.end.mend:
            self._line(f"next: {one_line(run.end.mend)}")
        if self._log_path:
            self._line(f"log:  {one_line(self._log_path)}")


def _summary(parts: Sequence[SectionView]) -> Iterable[str]:
    width = max(len(one_line(part.title)) for part in parts)
    built = max(len(wording.section_built(part)) for part in parts)
    for part in parts:
        told = f"{wording.section_built(part):<{built}}  " if built else ""
        yield f"{one_line(part.title):<{width}}  {told}{wording.section_counts(part)}"


def _block(check: CheckView) -> Iterable[str]:
    yield f"{check.word.upper()}: {one_line(check.label)}, {one_line(check.title)} ({wording.aside(check)})"
    for detail in wording.details(check):
        yield f"  {detail.label + ':':<10}{detail.text}"


def runs_table(summaries: Iterable[Summary], stream: IO[str]) -> None:
    """One line per run, in the given order; when it began stands at the front of its id."""
    rows = [("RUN", "ENVIRONMENT", "STATUS", "VERDICT", "EXIT", "OPERATOR")]
    for each in summaries:
        exit_code = "" if each.exit_code is None else str(each.exit_code)
        facts = (each.id, each.environment, each.status.value, each.verdict, exit_code, each.operator)
        rows.append(tuple(one_line(fact) for fact in facts))  # type: ignore[arg-type]
    if len(rows) == 1:
        stream.write("no runs yet\n")
        return
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        line = "  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True))
        stream.write(for_stream(line.rstrip(), stream) + "\n")


def show(records: Sequence[Record], stream: IO[str]) -> None:
    """One run's log, as it would be written now."""
    stream.write(for_stream(markdown.render(records), stream))
