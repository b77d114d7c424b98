"""One step of a run, from its intent to its recorded outcome."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from runbooks.engine.bounded import Overrun
from runbooks.engine.errors import LeaseLost, NeedsPerson, Reason, RunbookError, SystemFault
from runbooks.engine.guarded import guarded
from runbooks.engine.journal import JournalUnwritable, as_noted
from runbooks.engine.outcome import Outcome
from runbooks.engine.past import Past
from runbooks.engine.recorder import Recorder
from runbooks.engine.step import Runbook, Scope, State, Step, Tools
from runbooks.engine.stop import StopRequest

Result = TypeVar("Result")

FOUND_DONE = "found done; the attempt before had ended before it could say so"


@dataclass(frozen=True)
class Run(Generic[Tools]):
    """One execution of a runbook. ``confirm_lease`` raises LeaseLost once the environment is no longer ours.

    ``token`` is the lease's, 0 without one.
    """

    id: str
    runbook: Runbook[Tools]
    tools: Tools
    recorder: Recorder
    stop: StopRequest
    confirm_lease: Callable[[], None]
    token: int = 0

    def safe_point(self) -> None:
        """Between two effects: the place to stop, and to find out that the lease is gone."""
        self.stop.raise_if_made()
        self.confirm_lease()

    def confirm_not_taken(self) -> None:
        """Ahead of taking back and cleaning up: only a lease that is lost stops that, not a store that is silent."""
        with contextlib.suppress(SystemFault):
            self.confirm_lease()


def perform_step(run: Run[Tools], step: Step[Tools]) -> None:
    """One step to its recorded outcome; the error that it ended with is raised."""
    began = time.monotonic()
    for attempt in range(1, step.attempts + 1):
        try:
            outcome, text = _attempt(run, step, attempt)
        except NeedsPerson as error:
            run.recorder.append("waits", step=step.name, text=str(error))
            raise
        except (LeaseLost, JournalUnwritable):
            raise
        except RunbookError as error:
            outcome = Outcome.ABORTED if run.stop.event.is_set() else Outcome.FAILED
            reason = error.reason if isinstance(error, SystemFault) else None
            _record_outcome(run, step, outcome, str(error), began=began, attempt=attempt, reason=reason)
            run.stop.raise_if_made()
            # An act that was given up may still go on: a second one must not run beside it.
            if attempt == step.attempts or not isinstance(error, SystemFault) or isinstance(error, Overrun):
                raise
            run.safe_point()
        else:
            _record_outcome(run, step, outcome, text, began=began, attempt=attempt)
            return


def _attempt(run: Run[Tools], step: Step[Tools], attempt: int) -> tuple[Outcome, str]:
    past = Past.of(run.recorder.journal.records)
    if step.name in past.accepted:
        return Outcome.OK, past.accepted[step.name]
    before = past.before.get(step.name)
    if before is None:
        before = guarded(lambda: as_noted(step.before(run.tools)), step.title, step.seconds)
    done = _ask_done(run, step, before)
    if done:
        return (Outcome.CHANGED, FOUND_DONE) if past.undecided(step.name) else (Outcome.OK, "already so")
    if done is None and step.done is not None and past.undecided(step.name):
        raise _cannot_tell(run, step, past)
    ready = step.ready
    if ready is not None:
        guarded(lambda: ready(run.tools), step.title, step.seconds)
    if step.done is None and step.undo is None:
        return Outcome.OK, _act(run, step, before)
    run.recorder.append("intent", step=step.name, attempt=attempt, before=before)
    text = _act(run, step, before)
    if _ask_done(run, step, before) is False:
        raise SystemFault(
            f"“{step.title}” was done, but its postcondition does not hold",
            reason=Reason.FAILED,
            where=f"step {step.name}",
            found=text,
        )
    return Outcome.CHANGED, text


def _cannot_tell(run: Run[Tools], step: Step[Tools], past: Past) -> RunbookError:
    where = f"run {run.id}, step {step.name}"
    if not past.interrupted(step.name):
        what = f"it can't be told whether “{step.title}” happened, so it is not tried again"
        return SystemFault(what, reason=Reason.FAILED, where=where)
    return NeedsPerson(
        f"it can't be told whether “{step.title}” happened before the run was interrupted",
        where=where,
        mend=f"look, then invoke runs.resume {run.id} or invoke runs.abort {run.id}",
    )


def _act(run: Run[Tools], step: Step[Tools], before: State) -> str:
    return _scoped(run, step, step.act, before)


def _ask_done(run: Run[Tools], step: Step[Tools], before: State) -> bool | None:
    if step.done is None:
        return None
    try:
        return _scoped(run, step, step.done, before)
    except Overrun as error:  # a question that hangs does no harm, so it may be asked again
        raise SystemFault(error.what, reason=error.reason, where=f"is “{step.title}” done?") from error


def _scoped(run: Run[Tools], step: Step[Tools], call: Callable[[Tools, Scope], Result], before: State) -> Result:
    scope = Scope(
        run=run.id,
        before=before,
        seconds=step.seconds,
        stopping=run.stop.event,
        say=partial(run.recorder.say, step.name),
        record=run.recorder.append,
        progress=partial(run.recorder.progress, step.name),
        token=run.token,
    )
    try:
        return guarded(lambda: call(run.tools, scope), step.title, step.seconds)
    finally:
        scope.close()


def undo_step(run: Run[Tools], step: Step[Tools], past: Past) -> bool:
    """Whether the step's effect is gone."""
    assert step.undo is not None
    began = time.monotonic()
    run.recorder.append("undo-intent", step=step.name)
    try:
        text, outcome = _scoped(run, step, step.undo, past.before.get(step.name, {})), Outcome.COMPENSATED
    except JournalUnwritable:
        raise
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
    *,
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
