"""Performs a runbook: `perform` is the whole of it, the rest is one step at a time."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

from runbooks.engine.bounded import bounded
from runbooks.engine.errors import LeaseLost, NeedsPerson, Reason, RunbookError, Stopped, SystemFault
from runbooks.engine.journal import JournalUnwritable
from runbooks.engine.outcome import Outcome, Status
from runbooks.engine.past import Past
from runbooks.engine.recorder import Recorder
from runbooks.engine.step import Runbook, Scope, State, Step, Tools
from runbooks.engine.stop import StopRequest

Result = TypeVar("Result")

FAILED_AND_COMPENSATED = 6
FAILED_NEEDS_PERSON = 7


@dataclass(frozen=True)
class Run(Generic[Tools]):
    """One execution of a runbook. ``confirm_lease`` raises LeaseLost once the environment is no longer ours."""

    id: str
    runbook: Runbook[Tools]
    tools: Tools
    recorder: Recorder
    stop: StopRequest
    confirm_lease: Callable[[], None]
    past: Past = Past()

    def safe_point(self) -> None:
        """Between two effects: the place to stop, and to find out that the lease is gone."""
        self.stop.raise_if_made()
        self.confirm_lease()


@dataclass(frozen=True)
class Ending:
    """How a run ended; ``mend`` is the next command where one is needed."""

    status: Status
    exit_code: int
    verdict: str = ""
    error: RunbookError | None = None
    mend: str = ""


def perform(run: Run[Tools]) -> Ending:
    """Perform the steps in order; when one fails, take back what was done, last first."""
    reached: list[str] = []
    try:
        for step in run.runbook.steps:
            run.safe_point()
            reached.append(step.name)
            _perform_step(run, step)
        ending = _concluded(run)
    except Stopped as stopped:
        ending = Ending(Status.STOPPED, stopped.status, error=stopped, mend=f"invoke runs.resume {run.id}")
    except (NeedsPerson, LeaseLost, JournalUnwritable) as error:
        ending = Ending(Status.NEEDS_PERSON, error.exit_code, error=error)
    except RunbookError as error:
        if run.runbook.changes:
            ending = compensate(run, error)
        else:
            ending = Ending(Status.FAILED, error.exit_code, error=error)
    _perform_always(run, after=reached)
    return ending


def compensate(run: Run[Tools], cause: RunbookError | None) -> Ending:
    """Undo what this run changed, last first. What can't be undone does not stop the rest.

    Raises:
        JournalUnwritable: what is undone could no longer be recorded.
    """
    past = Past.of(run.recorder.journal.records)
    left = []
    for step in reversed(run.runbook.steps):
        if step.undo is None or step.name not in past.changed or step.name in past.undone:
            continue
        if not _undo_step(run, step, past):
            left.append(step.name)
    if left:
        mend = f"look at {', '.join(left)}, then: invoke runs.abort {run.id}"
        return Ending(Status.NEEDS_PERSON, FAILED_NEEDS_PERSON, error=cause, mend=mend)
    return Ending(Status.COMPENSATED, FAILED_AND_COMPENSATED, error=cause)


def _perform_always(run: Run[Tools], after: list[str]) -> None:
    """What must happen even after a failure or a stop. Its own failure is recorded and does not hide the first."""
    for step in run.runbook.steps:
        if step.always and step.name not in after:
            with contextlib.suppress(RunbookError):
                _perform_step(run, step)


def _concluded(run: Run[Tools]) -> Ending:
    if run.runbook.conclude is None:
        return Ending(Status.DONE, 0)
    conclusion = run.runbook.conclude(run.tools)
    run.recorder.append("conclusion", **conclusion.facts)
    return Ending(Status.DONE, conclusion.exit_code, verdict=conclusion.verdict)


def _perform_step(run: Run[Tools], step: Step[Tools]) -> None:
    """One step to its recorded outcome; the error that it ended with is raised."""
    began = time.monotonic()
    for attempt in range(1, step.attempts + 1):
        try:
            outcome, text = _attempt(run, step, attempt)
        except SystemFault as error:
            _record_outcome(run, step, Outcome.FAILED, str(error), began, attempt, error.reason)
            if attempt == step.attempts:
                raise
            run.safe_point()
        except (NeedsPerson, LeaseLost, JournalUnwritable):
            raise
        except Stopped:
            _record_outcome(run, step, Outcome.ABORTED, "stopped by the operator", began, attempt)
            raise
        except RunbookError as error:
            _record_outcome(run, step, Outcome.FAILED, str(error), began, attempt)
            raise
        else:
            _record_outcome(run, step, outcome, text, began, attempt)
            return


def _attempt(run: Run[Tools], step: Step[Tools], attempt: int) -> tuple[Outcome, str]:
    before = run.past.before.get(step.name)
    if before is None:
        before = step.before(run.tools)
    scope = _scope(run, step, before)
    done = _ask_done(run, step, scope)
    if done:
        if run.past.interrupted(step.name) and attempt == 1:
            return Outcome.CHANGED, "found done; the run was interrupted before it could say so"
        return Outcome.OK, "already so"
    if done is None and run.past.interrupted(step.name):
        raise NeedsPerson(
            f"it can't be told whether “{step.title}” happened before the run was interrupted",
            where=f"run {run.id}, step {step.name}",
            mend=f"look, then invoke runs.resume {run.id} or invoke runs.abort {run.id}",
        )
    if step.ready is not None:
        step.ready(run.tools)
    if step.done is None and step.undo is None:
        return Outcome.OK, _act(run, step, scope)
    run.recorder.append("intent", step=step.name, attempt=attempt, before=dict(before))
    text = _act(run, step, scope)
    if _ask_done(run, step, scope) is False:
        raise SystemFault(
            f"“{step.title}” was done, but its postcondition does not hold",
            reason=Reason.FAILED,
            where=f"step {step.name}",
            found=text,
        )
    return Outcome.CHANGED, text


def _scope(run: Run[Tools], step: Step[Tools], before: State) -> Scope:
    say = partial(run.recorder.say, step.name)
    return Scope(run.id, before, step.seconds, run.stop.event, say, run.recorder.append)


def _act(run: Run[Tools], step: Step[Tools], scope: Scope) -> str:
    return _guarded(lambda: step.act(run.tools, scope), step)


def _ask_done(run: Run[Tools], step: Step[Tools], scope: Scope) -> bool | None:
    question = step.done
    return None if question is None else _guarded(lambda: question(run.tools, scope), step)


def _guarded(call: Callable[[], Result], step: Step[Tools]) -> Result:
    """The call's result within the step's time; a bug in a step is that step's failure, not the engine's."""
    try:
        return bounded(call, step.seconds, f"step {step.name}")
    except RunbookError:
        raise
    except Exception as error:
        raise SystemFault(
            f"“{step.title}” failed in a way that nobody foresaw",
            reason=Reason.FAILED,
            where=place_of(error),
            found=f"{type(error).__name__}: {error}",
            mend="report this as a bug, with the run's folder",
        ) from error


def _undo_step(run: Run[Tools], step: Step[Tools], past: Past) -> bool:
    """Whether the step's effect is gone."""
    assert step.undo is not None
    undo = step.undo
    scope = _scope(run, step, past.before.get(step.name, {}))
    began = time.monotonic()
    run.recorder.append("undo-intent", step=step.name)
    try:
        text, outcome = _guarded(lambda: undo(run.tools, scope), step), Outcome.COMPENSATED
    except RunbookError as error:
        text, outcome = str(error), Outcome.FAILED
    seconds = round(time.monotonic() - began, 3)
    run.recorder.append("undo-outcome", step=step.name, outcome=outcome, text=text, seconds=seconds)
    return outcome is Outcome.COMPENSATED


def _record_outcome(
    run: Run[Tools],
    step: Step[Tools],
    outcome: Outcome,
    text: str,
    began: float,
    attempt: int,
    reason: Reason | None = None,
) -> None:
    run.recorder.append(
        "outcome",
        step=step.name,
        outcome=outcome,
        reason=reason,
        text=text,
        seconds=round(time.monotonic() - began, 3),
        attempt=attempt,
    )


def place_of(error: BaseException) -> str:
    """The file and line where an unforeseen error was raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
