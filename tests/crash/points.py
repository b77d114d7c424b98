"""Where a runbook is killed: the points that `driver.py` understands, worked out from its steps."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import pytest

from runbooks.engine.step import Runbook

BEGUN = ("before:lease", "after:lease")
ENDING = ("before:end",)


def around_steps(book: Runbook[Any]) -> list[str]:
    """Ahead of each step's intent and after it, ahead of its outcome and after it."""
    points = []
    for step in book.steps:
        kinds = ["outcome"] if step.done is None and step.undo is None else ["intent", "outcome"]
        points += [f"{when}:{kind}/{step.name}" for kind in kinds for when in ("before", "after")]
    return points


def points(book: Runbook[Any]) -> list[str]:
    """All of them, from the lease to the end."""
    return [*BEGUN[1:], *around_steps(book), *ENDING]


def around_undoing(book: Runbook[Any]) -> list[str]:
    """The same of each step's undoing, for a kill of ``runs.abort``."""
    undone = [step.name for step in book.steps if step.undo is not None]
    kinds = [(kind, when) for kind in ("undo-intent", "undo-outcome") for when in ("before", "after")]
    return [f"{when}:{kind}/{name}" for name in undone for kind, when in kinds]


def in_doubt(points: Iterable[str]) -> list[str]:
    """Where only the world can tell whether the step was done. Every other point is as clear as the one before it."""
    return [point for point in points if point.startswith(("after:intent", "before:outcome"))]


def cases(points: Iterable[str], quick: Collection[str] = ()) -> list[Any]:
    """Parameters for ``parametrize("point", …)``, marked ``crash`` but for those that the quick suite takes."""
    return [
        pytest.param(point, id=point.replace("/", " "), marks=() if point in quick else pytest.mark.crash)
        for point in points
    ]
