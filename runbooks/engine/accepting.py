"""A person's answer in the stead of a step that found none: who gave it and why stands in the journal."""

from __future__ import annotations

from typing import Any

from runbooks.engine.errors import InputError
from runbooks.engine.lease import operator
from runbooks.engine.past import Past
from runbooks.engine.recorder import Recorder
from runbooks.engine.step import Runbook


def refuse_unless_awaited(book: Runbook[Any], past: Past, run: str, why: str) -> None:
    """Raise InputError unless the run waits at a step that a person may answer for, and says why."""
    mend = f"invoke runs.resume {run}, or invoke runs.abort {run}"
    if past.undoing:
        raise InputError("the run is being taken back, so there is nothing to accept", where=run, mend=mend)
    if not any(step.acceptable and step.name == past.waiting for step in book.steps):
        found = f"it stopped at {past.waiting}, which asks for something to be done" if past.waiting else "it does not"
        raise InputError("the run does not wait for a person's answer", where=run, found=found, mend=mend)
    if not why.strip():
        raise InputError("an answer needs its reason", where="--accept", mend='write for example --accept "seen in …"')


def record(recorder: Recorder, step: str, why: str) -> None:
    """Write it down; the step is not asked again."""
    recorder.append("accepted", step=step, by=operator(), why=why, text=f"accepted by {operator()}: {why}")
