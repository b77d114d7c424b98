"""A run as the Markdown that people read and keep: `render` for one look, `LogWriter` while the run goes on."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import runbooks
from runbooks.engine.atomic import write_atomically
from runbooks.engine.audit import LOG
from runbooks.engine.journal import Record, unwritable
from runbooks.report import escape, picture
from runbooks.report.causes import together
from runbooks.report.gantt import chart
from runbooks.report.reading import read
from runbooks.report.tally import sections, totals
from runbooks.report.text import count, duration, moment
from runbooks.report.xychart import lines

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATE, PAGE = "run-log.md.j2", "page.md.j2"
MARKS = {
    **dict.fromkeys(("passed", "attested", "ok", "changed"), "✓"),
    **dict.fromkeys(("failed", "aborted"), "✗"),
    **dict.fromkeys(("warned", "unfinished"), "!"),
    "unknown": "?",
    "waived": "~",
    "compensated": "↩",
}

_REWRITTEN_AFTER = frozenset({"run", "resumed", "outcome", "undo-outcome", "conclusion", "end"})


def render(records: Sequence[Record]) -> str:
    """The run log of a run, however far its records go."""
    run = read(records)
    parts = sections(run)
    return _template(TEMPLATE).render(
        run=run, urgent=together(run.urgent), sections=parts, totals=totals(parts), chart=chart(run)
    )


def render_page(page: Mapping[str, Any]) -> str:
    """One page by itself: its notes, table and pictures."""
    return _template(PAGE).render(page=page).lstrip("\n")


class LogWriter:
    """Keeps ``log.md`` in a run's folder up to date, so that a killed run leaves one that says where it stopped.

    The charts of its pages are drawn beside it, too: Mermaid in the log is drawn by few but GitHub.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / LOG

    def recorded(self, record: Record, records: Sequence[Record]) -> None:
        """Write the log again after what is worth it; single checks are not.

        Raises:
            JournalUnwritable: no space, or the disk failed.
        """
        if record.kind not in _REWRITTEN_AFTER:
            return
        try:
            for page in (record.data for record in records if record.kind == "page" and record.data["charts"]):
                write_atomically(self.path.with_name(picture.name(page)), picture.draw(page).encode())
            write_atomically(self.path, render(records).encode())
        except OSError as error:
            raise unwritable(self.path, error) from error

    def said(self, step: str, text: str) -> None:
        """Progress is not worth a record, so the log does not have it either."""


@functools.cache
def _template(name: str) -> Template:
    """A template in which every value is escaped unless it says that it is Markdown."""
    from jinja2 import Environment, FileSystemBytecodeCache, FileSystemLoader, StrictUndefined

    environment = Environment(
        bytecode_cache=FileSystemBytecodeCache(),  # in a folder of its own that only we may write to
        loader=FileSystemLoader(Path(runbooks.__file__).parent.parent / "templates"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - HTML's escapes are not Markdown's; `finalize` does it
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        cell=escape.cell,
        code=escape.code,
        block=escape.block,
        yaml=escape.scalar,
        markdown=escape.Markdown,
        duration=lambda seconds: escape.Markdown(duration(seconds).replace(" ", "\u00a0")),
        moment=moment,
        count=count,
        xychart=lines,
        picture=picture.name,
        mark=lambda word: escape.Markdown(f"{MARKS.get(word, '–')}\u00a0{word}".replace(" ", "\u00a0")),
    )
    return environment.get_template(name)


def _finalize(value: Any) -> Any:
    return value if isinstance(value, (escape.Markdown, int)) else escape.inline(value)
