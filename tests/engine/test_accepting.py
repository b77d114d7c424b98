"""A person answers in the stead of a step that found no answer: recorded, and only where a run waits for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runbooks.engine import accepting
from runbooks.engine.errors import InputError, NeedsPerson
from runbooks.engine.lease import operator
from runbooks.engine.outcome import Outcome, Status
from runbooks.engine.past import Past
from runbooks.engine.run import compensate, perform
from runbooks.engine.step import Scope, Step
from runbooks.engine.stepping import Run
from tests.engine.test_resume import again
from tests.engine.toys import Effect, records, run_of


class Doubt:
    """A step that finds no answer, however often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def act(self, _tools: Any, _scope: Scope) -> str:
        self.asked += 1
        raise NeedsPerson("nobody can tell")

    def step(self, *, acceptable: bool = True) -> Step[Any]:
        return Step(name="doubt", title="Tell", act=self.act, acceptable=acceptable)


def past(run: Run[Any]) -> Past:
    return Past.of(run.recorder.journal.records)


def accept(run: Run[Any], why: str = "seen on the dashboard") -> None:
    accepting.refuse_unless_awaited(run.runbook, past(run), run.id, why)
    accepting.record(run.recorder, past(run).waiting, why)


def test_an_accepted_step_is_not_asked_again_and_the_run_goes_on(tmp_path: Path) -> None:
    doubt, after = Doubt(), Effect("after")
    run = run_of(tmp_path / "run", doubt.step(), after.step())
    assert perform(run).status is Status.NEEDS_PERSON

    resumed = again(run)
    accept(resumed)

    assert perform(resumed).status is Status.DONE
    assert doubt.asked == 1
    assert after.there
    outcomes = [
        record.data for record in records(resumed) if (record.kind, record.data.get("step")) == ("outcome", "doubt")
    ]
    assert [each["outcome"] for each in outcomes] == [Outcome.OK]
    assert outcomes[0]["text"] == f"accepted by {operator()}: seen on the dashboard"
    (said,) = [record.data for record in records(resumed) if record.kind == "accepted"]
    assert (said["step"], said["by"], said["why"]) == ("doubt", operator(), "seen on the dashboard")


def test_without_an_answer_the_step_is_asked_again(tmp_path: Path) -> None:
    doubt = Doubt()
    run = run_of(tmp_path / "run", doubt.step())
    perform(run)

    assert perform(again(run)).status is Status.NEEDS_PERSON
    assert doubt.asked == 2


@pytest.mark.parametrize(
    ("step", "why", "refusal"),
    [
        (Doubt().step(acceptable=False), "seen", "it stopped at doubt, which asks for something to be done"),
        (Effect("one").step(), "seen", "it does not"),
        (Doubt().step(), " ", "an answer needs its reason"),
    ],
    ids=["something is to be done", "nothing waits", "no reason"],
)
def test_what_nobody_waits_for_is_refused(step: Step[Any], why: str, refusal: str, tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", step)
    perform(run)

    with pytest.raises(InputError, match=refusal):
        accept(run, why)


def test_a_run_that_is_being_taken_back_has_nothing_to_accept(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", Effect("one").step(), Doubt().step())
    perform(run)
    compensate(run, None)

    with pytest.raises(InputError, match="the run is being taken back"):
        accept(run)
