"""Renders files of other programs out of ``templates/``, and prints them or writes them down."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import runbooks
from runbooks.engine.atomic import write_atomically
from runbooks.engine.errors import InputError

WRITTEN_BY = "Written by invoke"
"""Stands in the first lines of every file: whatever lacks it is not replaced."""


def show(made: Mapping[str, str], output: str | None) -> None:
    """Print files by their names, or write them into a folder.

    Raises:
        InputError: the folder can't be written to, or holds a file of this name by somebody else.
    """
    if output is None:
        for name, text in made.items():
            print(text if len(made) == 1 else f"# ---- {name}\n{text}", end="" if len(made) == 1 else "\n")
        return
    folder = Path(output)
    for name in made:
        _refuse_foreign(folder / name)
    for name, text in made.items():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(folder / name, text.encode(), 0o644)
        except OSError as error:
            raise InputError(
                "the file can't be written", where=str(folder / name), found=error.strerror or ""
            ) from error
        print(folder / name)


def _refuse_foreign(path: Path) -> None:
    if path.exists() and WRITTEN_BY not in "".join(path.read_text(errors="replace").splitlines()[:2]):
        mend = "move it away, or name another folder with --output"
        raise InputError("there is another file of this name", where=str(path), mend=mend)


def rendered(name: str, facts: Mapping[str, Any]) -> str:
    """A template, by its path below ``templates/``."""
    from jinja2 import Environment as Templates
    from jinja2 import FileSystemLoader, StrictUndefined

    templates = Templates(
        loader=FileSystemLoader(Path(runbooks.__file__).parent.parent / "templates"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - these are no HTML; each value goes through the filter of its own format
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters |= {
        "words": shlex.join,
        "word": shlex.quote,
        "unit": _unit,
        "argument": _argument,
        "percent": _percent,
        "percent_unit": lambda text: text.replace("%", "%%"),
        "yaml": json.dumps,
    }
    return templates.get_template(name).render(facts)


def _unit(text: str) -> str:
    """A word of a systemd unit: quoted where needed, without specifiers."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return escaped if escaped and not set(escaped) & set(" \t\"'\\;") else f'"{escaped}"'


def _argument(text: str) -> str:
    """The same on a command line, where a dollar sign begins a variable; in ``Environment=`` it does not."""
    return _unit(text.replace("$", "$$"))


def _percent(text: str) -> str:
    """A command for a crontab, in which a bare percent sign ends it."""
    return text.replace("%", r"\%")
