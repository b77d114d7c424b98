"""Throws the sandbox's state away so that nobody ever meets a half of it."""

from __future__ import annotations

import shutil
from pathlib import Path

from runbooks.sandbox.layout import Layout


def delete(layout: Layout) -> None:
    """Throw away all that the sandbox holds: at once, then bit by bit."""
    finish(layout)
    if layout.root.exists():
        layout.root.rename(_thrown_away(layout))
        shutil.rmtree(_thrown_away(layout))


def finish(layout: Layout) -> None:
    """Delete what a killed `delete` has left."""
    shutil.rmtree(_thrown_away(layout), ignore_errors=True)


def empty(layout: Layout) -> bool:
    """Whether nothing is kept any more."""
    return not _thrown_away(layout).exists() and not any(path.is_file() for path in layout.root.rglob("*"))


def _thrown_away(layout: Layout) -> Path:
    return layout.root.with_name(f".{layout.root.name}.thrown-away")
