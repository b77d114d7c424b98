"""Performs a runbook: `perform` is the whole of it. `stepping` has one step's way from intent to outcome."""

from __future__ import annotations

from dataclasses import dataclass

from runbooks.engine.bounded import Overrun
from runbooks.engine.errors import LeaseLost, NeedsPerson, RunbookError, Stopped, SystemFault
from runbooks.engine.guarded import guarded
from runbooks.engine.journal import JournalUnwritable
from runbooks.engine.outcome import Status
from runbooks.engine.past import Past
from runbooks.engine.step import Tools
from runbooks.engine.stepping import Run, perform_step, undo_step

FAILED_AND_COMPENSATED = 6
FAILED_NEEDS_PERSON = 7
SECONDS_TO_CONCLUDE = 60.0


@dataclass(frozen=True)
class Ending:
    """How a run ended; ``mend`` is the next command where one is needed."""

    status: Status
    exit_code: int
    verdict: str = ""
    error: RunbookError | None = None
    mend: str = ""


def perform(run: Run[Tools]) -> Ending:
    """Perform the steps in order; when one fails, take back what was done, last first.

    Raises:
        JournalUnwritable: what is done could no longer be recorded, so nothing more is.
    """
    reached: list[str] = []
    try:
        for step in run.runbook.steps:
            run.safe_point()
            reached.append(step.name)
            try:
                perform_step(run, step)
            except SystemFault:
                if not (step.always and run.runbook.conclude):
                    raise  # cleaning up that fails is recorded, and does not take the verdict away
        run.stop.raise_if_made()
        ending = _concluded(run)
    except JournalUnwritable:
        raise
    except Stopped as stopped:
        ending = _stopped(run, stopped)
    except (NeedsPerson, LeaseLost) as error:
        ending = Ending(Status.NEEDS_PERSON, error.exit_code, error=error)
    except RunbookError as error:
        ending = _take_back(run, error) if run.runbook.changes else Ending(Status.FAILED, error.exit_code, error=error)
    _perform_always(run, after=reached)
    return ending


def compensate(run: Run[Tools], cause: RunbookError | None) -> Ending:
    """Undo what this run changed, last first, and clean up. See `Runbook.back_in_order`.

    Raises:
        JournalUnwritable: what is undone could no longer be recorded.
    """
    ending = _take_back(run, cause)
    _perform_always(run, after=[])
    return ending


def _take_back(run: Run[Tools], cause: RunbookError | None) -> Ending:
    past = Past.of(run.recorder.journal.records)
    left = []
    try:
        for step in reversed(run.runbook.steps):
            if step.undo is None or step.name not in past.changed or step.name in past.undone:
                continue
            run.stop.raise_if_made()
            run.confirm_not_taken()
            if not undo_step(run, step, past):
                left.append(step.name)
                if run.runbook.back_in_order:
                    break
        if left:
            run.stop.raise_if_made()
    except Stopped as stopped:
        return _stopped(run, stopped)
    except LeaseLost as error:
        return Ending(Status.NEEDS_PERSON, error.exit_code, error=error)
    if left:
        mend = f"look at {', '.join(left)}, then: invoke runs.abort {run.id}"
        return Ending(Status.NEEDS_PERSON, FAILED_NEEDS_PERSON, error=cause, mend=mend)
    if isinstance(cause, Overrun) and cause.call.running:
        mend = f"what timed out had not ended when it was taken back; look, then: invoke runs.show {run.id}"
        return Ending(Status.NEEDS_PERSON, FAILED_NEEDS_PERSON, error=cause, mend=mend)
    return Ending(Status.COMPENSATED, FAILED_AND_COMPENSATED, error=cause)


def _stopped(run: Run[Tools], stopped: Stopped) -> Ending:
    return Ending(Status.STOPPED, stopped.status, error=stopped, mend=f"invoke runs.resume {run.id}")


def _perform_always(run: Run[Tools], after: list[str]) -> None:
    """What must happen even after a failure or a stop. Its own failure is recorded and does not hide the first."""
    for step in run.runbook.steps:
        if step.always and step.name not in after:
            try:
                run.confirm_not_taken()
                perform_step(run, step)
            except JournalUnwritable:
                raise
            except RunbookError:
                continue


def _concluded(run: Run[Tools]) -> Ending:
    conclude = run.runbook.conclude
    if conclude is None:
        return Ending(Status.DONE, 0)
    try:
        conclusion = guarded(lambda: conclude(run.tools), "The conclusion", SECONDS_TO_CONCLUDE)
    except RunbookError as error:
        if not run.runbook.changes:
            raise
        raise NeedsPerson("all steps are done, but what they came to can't be told", found=str(error)) from error
    run.recorder.append("conclusion", **conclusion.facts)
    return Ending(Status.DONE, conclusion.exit_code, verdict=conclusion.verdict)
