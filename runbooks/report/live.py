"""A run on a terminal: a table that moves while checks are asked, lines for everything else.

The cursor is never hidden: a second Ctrl-C ends the process at once, and nobody would show it again.
"""

from __future__ import annotations

import atexit
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import IO

from rich.console import Console, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from runbooks.engine.journal import Record
from runbooks.report import wording
from runbooks.report.causes import together
from runbooks.report.reading import read, text_of
from runbooks.report.tally import SectionView, sections
from runbooks.report.text import duration, for_stream, one_line, plain
from runbooks.report.view import CheckView, RunView

REDRAWS_PER_SECOND = 4
_WIDE = 100
_BAR = 12


class LiveConsole:
    """Progress per section while checks are asked; then what needs somebody, the verdict and the log's path."""

    def __init__(
        self,
        stream: IO[str],
        log_path: str,
        environ: Mapping[str, str],
        *,
        width: int | None = None,
        height: int | None = None,
    ) -> None:
        self._stream = stream
        self._log_path = log_path
        self._console = Console(
            file=stream,
            width=width,
            height=height,
            no_color=bool(environ.get("NO_COLOR")),
            markup=False,
            highlight=False,
            emoji=False,
        )
        self._records: Sequence[Record] = ()
        self._live: Live | None = None
        self._told = ""
        self._began = time.monotonic()
        self._tellers: dict[str, Callable[[Record, RunView], None]] = {
            "run": self._begun,
            "resumed": self._noted,
            "note": self._noted,
            "accepted": self._noted,
            "lease": self._noted,
            "release": self._release,
            "intent": self._step_begun,
            "outcome": self._step_ended,
            "undo-outcome": self._undone,
            "end": self._ended,
        }

    def recorded(self, record: Record, records: Sequence[Record]) -> None:
        """Show what the record says."""
        self._records = records
        if record.kind == "checks":
            self.close()
            self._start(self._progress)
        elif record.kind in ("outcome", "conclusion", "end"):
            self.close()
        teller = self._tellers.get(record.kind)
        if teller:
            teller(record, read(records))

    def said(self, step: str, text: str) -> None:  # noqa: ARG002 - what is said stands below its step
        """Show how far a step is."""
        for line in plain(text).splitlines():
            self._print(Padding(self._text(line, "dim"), (0, 0, 0, 4)))

    def progressed(self, step: str, text: str) -> None:  # noqa: ARG002 - it stands below its step
        """Show how far a step is, in a line that moves."""
        self._told = one_line(text)
        if self._live is None:
            self._start(self._line)

    def _line(self) -> RenderableType:
        return Padding(self._text(self._told, "dim"), (0, 0, 0, 4))

    def close(self) -> None:
        """Take away what moves; what is printed next stands in its place."""
        live, self._live = self._live, None
        if live:
            live.stop()
            atexit.unregister(self.close)

    def _start(self, shown: Callable[[], RenderableType]) -> None:
        self._began = time.monotonic()
        self._live = Live(
            console=self._console,
            get_renderable=shown,
            refresh_per_second=REDRAWS_PER_SECOND,
            transient=True,
        )
        self._live.start()
        self._console.show_cursor(True)
        atexit.register(self.close)

    def _text(self, text: str, style: str = "") -> Text:
        return Text(for_stream(text, self._stream), style=style, overflow="fold")

    def _print(self, shown: RenderableType) -> None:
        self._console.print(shown)

    def _marked(self, word: str, text: str, rest: str = "", indent: int = 0) -> None:
        """A line that begins with the sign and the word; what does not fit goes on below the text."""
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=13 + indent, no_wrap=True)
        grid.add_column(overflow="fold")
        first = self._text(" " * indent + f"{wording.mark(word)} {word}", _style(word))
        grid.add_row(first, self._text(text).append_text(self._text(rest, "dim")))
        self._print(grid)

    def _begun(self, _record: Record, run: RunView) -> None:
        self._print(self._text(wording.headline(run), "bold"))
        self._print(self._text(f"run {one_line(run.id)}", "dim"))

    def _noted(self, _record: Record, run: RunView) -> None:
        self._print(self._text(f"• {one_line(run.notes[-1][1])}", "dim"))

    def _release(self, record: Record, _run: RunView) -> None:
        self._print(self._text(f"• release: {one_line(text_of(record.kind, record.data))}", "dim"))

    def _step_begun(self, record: Record, run: RunView) -> None:
        step = next(step for step in run.steps if step.name == record.data["step"])
        self._print(self._text(f"▸ {one_line(step.title)} …"))

    def _step_ended(self, record: Record, run: RunView) -> None:
        step = next(step for step in run.steps if step.name == record.data["step"])
        text = "\n".join(line.rstrip() for line in plain(record.data["text"]).splitlines())
        self._marked(str(record.data["outcome"]), f"{one_line(step.title)}, {wording.took(step)}", f"\n{text}")

    def _undone(self, record: Record, run: RunView) -> None:
        step = next(step for step in run.steps if step.name == record.data["step"])
        text = plain(step.undo.text) if step.undo else ""
        self._marked(wording.undo_word(step), f"Undo: {one_line(step.title)}", f"\n{text}")

    def _progress(self) -> RenderableType:
        """The table of the sections as it is now."""
        records = list(self._records)
        run = read(records)
        done = sum(check.verdict is not None for check in run.checks)
        wide = self._console.width >= _WIDE
        table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="dim")
        passed_time = duration(time.monotonic() - self._began)
        table.add_column(f"{done}/{len(run.checks)} checks, {passed_time}", no_wrap=True)
        if wide:
            table.add_column("", no_wrap=True)
        for heading in ("asked", "failed", "unknown"):
            table.add_column(heading, justify="right", no_wrap=True)
        table.add_column(self._text("still to come"), no_wrap=True, overflow="crop")
        for part in sections(run):
            table.add_row(*self._row(part, wide))
        return table

    def _row(self, part: SectionView, wide: bool) -> Iterable[Text]:
        total = len(part.checks)
        yield self._text(one_line(part.title, 27))
        if wide:
            filled = _BAR * part.asked // total
            yield self._text("█" * filled + "░" * (_BAR - filled), "green" if part.asked == total else "cyan")
        yield self._text(f"{part.asked}/{total}")
        for word in ("failed", "unknown"):
            number = part.counts[word]
            yield self._text(f"{wording.mark(word)} {number}", _style(word)) if number else self._text("·", "dim")
        room = self._console.width - (69 if wide else 55)
        yield self._text(_to_come(part, room), "dim")

    def _ended(self, _record: Record, run: RunView) -> None:
        assert run.end is not None
        if run.checks:
            self._print("")
            self._print(self._summary(sections(run)))
        for check in together(run.urgent):
            self._print("")
            self._block(check)
        self._print("")
        for line in wording.error(run):
            self._print(self._text(line))
        word = wording.ending_word(run.end)
        self._print(self._text(f"{wording.mark(word)} {wording.ending(run)}", f"bold {_style(word)}".strip()))
        for label, told in (("next", run.end.mend), ("log", self._log_path)):
            if told:
                self._print(self._text(f"  {label + ':':<6}{one_line(told)}"))

    def _summary(self, parts: Sequence[SectionView]) -> Table:
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(no_wrap=True)
        grid.add_column(no_wrap=True, style="dim")
        grid.add_column(overflow="fold")
        for part in parts:
            word = wording.section_word(part)
            title = self._text(f"{wording.mark(word)} ", _style(word)).append_text(self._text(one_line(part.title, 27)))
            counts = self._text(wording.section_counts(part))
            grid.add_row(title, self._text(wording.section_built(part)), counts)
        return grid

    def _block(self, check: CheckView) -> None:
        rest = f"\n{one_line(check.label)}, {wording.aside(check)}"
        self._marked(check.word, one_line(check.title), rest)
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=13, justify="right")
        grid.add_column(overflow="fold")
        for detail in wording.details(check):
            grid.add_row(self._text(detail.label, "dim"), self._text(detail.text))
        self._print(grid)


def _style(word: str) -> str:
    if word in wording.BAD:
        return "red"
    if word in wording.GOOD:
        return "green"
    return "yellow" if word in ("unknown", "warned", "UNDECIDED", "compensated") else ""


def _to_come(part: SectionView, room: int) -> str:
    """As many names as fit, and how many more there are."""
    names = [one_line(check.id) for check in part.open]
    for shown in range(len(names), 1, -1):
        text = ", ".join(names[:shown]) + _more(len(names) - shown)
        if len(text) <= room:
            return text
    rest = _more(len(names) - 1)
    return one_line(names[0], room - len(rest)) + rest if names else ""


def _more(number: int) -> str:
    return f", +{number}" if number > 0 else ""
