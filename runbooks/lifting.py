"""Steps of one runbook as part of a longer one, which works with more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from runbooks.engine.step import Step


def on(part: str, call: Callable[..., Any]) -> Callable[..., Any]:
    """A step's function, called with a part of what a longer runbook works with."""

    @wraps(call)
    def called(work: Any, *more: Any) -> Any:
        return call(getattr(work, part), *more)

    return called


def lifted(part: str, step: Step[Any]) -> Step[Any]:
    """Another runbook's step, done with that part."""
    return replace(
        step,
        act=on(part, step.act),
        done=step.done and on(part, step.done),
        before=on(part, step.before),
        ready=step.ready and on(part, step.ready),
        undo=step.undo and on(part, step.undo),
        plan=on(part, step.plan),
    )
