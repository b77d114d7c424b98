"""Calls into a runbook's own code: bounded in time, and a bug there is that step's failure, not the engine's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from runbooks.engine.bounded import bounded
from runbooks.engine.errors import Reason, RunbookError, SystemFault

Result = TypeVar("Result")


def guarded(call: Callable[[], Result], title: str, seconds: float) -> Result:
    """The call's result within its time.

    Raises:
        RunbookError: what the call raised; a bug becomes a SystemFault that names its file and line.
    """
    try:
        return bounded(call, seconds, title)
    except RunbookError:
        raise
    except (Exception, SystemExit) as error:
        raise SystemFault(
            f"“{title}” failed in a way that nobody foresaw",
            reason=Reason.FAILED,
            where=place_of(error),
            found=f"{type(error).__name__}: {error}",
            mend="report this as a bug, with the run's folder",
        ) from error


def place_of(error: BaseException) -> str:
    """The file and line where an unforeseen error was raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
