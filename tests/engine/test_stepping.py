"""One step: whether it is done, tried again, given up, and what is recorded of it."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from runbooks.engine.errors import InputError, SystemFault
from runbooks.engine.journal import Record, read_intact
from runbooks.engine.outcome import Outcome, Status
from runbooks.engine.run import Ending, perform
from runbooks.engine.step import Scope, Step
from tests.engine.toys import Effect, last_outcome, outcome_of, recorder_in, records, refuse, run_of, told


def test_a_step_that_did_something_has_changed_it(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", Effect("one").step())

    assert perform(run) == Ending(Status.DONE, 0)
    assert told(run) == ["intent one", "outcome one changed"]
    assert last_outcome(run, "one").data["text"] == "made one"


def test_a_step_that_is_already_done_does_nothing(tmp_path: Path) -> None:
    effect = Effect("one")
    effect.there = True
    run = run_of(tmp_path / "run", effect.step())
    perform(run)

    assert told(run) == ["outcome one ok"]
    assert effect.diary == []


def test_a_step_that_only_reads_records_no_intent(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", Effect("look").step(done=None, undo=None))
    perform(run)

    assert told(run) == ["outcome look ok"]


def test_an_intent_is_on_disk_before_the_effect(tmp_path: Path) -> None:
    seen: list[str] = []

    def act(_tools: Any, _scope: Scope) -> str:
        seen.extend(record.kind for record in read_intact(tmp_path / "run" / "journal.jsonl"))
        return "done"

    run = run_of(tmp_path / "run", Effect("one").step(act=act, done=None, before=lambda _: {"was": 3}))
    perform(run)

    assert seen == ["intent"]
    assert records(run)[0].data == {"step": "one", "attempt": 1, "before": {"was": 3}}


def test_a_postcondition_that_does_not_hold_fails_the_step(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", Effect("one").step(done=lambda *_: False))
    ending = perform(run)

    assert (ending.status, ending.exit_code) == (Status.COMPENSATED, 6)
    assert told(run) == ["intent one", "outcome one failed", "undo-intent one", "undo-outcome one compensated"]
    assert "its postcondition does not hold" in last_outcome(run, "one").data["text"]


def test_every_try_is_recorded(tmp_path: Path) -> None:
    tries = itertools.count(1)

    def third_time(_tools: Any, _scope: Scope) -> str:
        return "went" if next(tries) == 3 else refuse()

    run = run_of(tmp_path / "run", Effect("one").step(act=third_time, done=None, attempts=3))

    assert perform(run).status is Status.DONE
    assert [(r.kind, r.data["attempt"], r.data.get("reason")) for r in records(run)] == [
        ("intent", 1, None),
        ("outcome", 1, "unreachable"),
        ("intent", 2, None),
        ("outcome", 2, "unreachable"),
        ("intent", 3, None),
        ("outcome", 3, None),
    ]


def test_wrong_input_is_not_tried_again(tmp_path: Path) -> None:
    def act(_tools: Any, _scope: Scope) -> str:
        raise InputError("wrong")

    run = run_of(tmp_path / "run", Effect("one").step(act=act, undo=None, attempts=3))

    assert perform(run).exit_code == 6
    assert told(run) == ["intent one", "outcome one failed"]


def test_what_can_not_be_told_after_a_failed_try_is_not_tried_again(tmp_path: Path) -> None:
    effect = Effect("one")
    run = run_of(tmp_path / "run", effect.step(act=refuse, attempts=2, done=lambda *_: None))

    assert perform(run).status is Status.COMPENSATED
    assert told(run).count("intent one") == 1
    assert "so it is not tried again" in last_outcome(run, "one").data["text"]


BUGGY = {
    "act": Effect("one").fail,
    "before": lambda _tools: 1 // 0,
    "ready": lambda _tools: 1 // 0,
    "done": lambda _tools, _scope: 1 // 0,
}


@pytest.mark.parametrize("part", BUGGY)
def test_a_bug_in_a_step_is_its_failure_and_says_where(tmp_path: Path, part: str) -> None:
    effect = Effect("zero")
    run = run_of(tmp_path / "run", effect.step(), Effect("one").step(**{part: BUGGY[part]}))
    ending = perform(run)

    assert (ending.status, ending.exit_code) == (Status.COMPENSATED, 6)
    assert effect.diary == ["make zero", "take back zero"]
    text = last_outcome(run, "one").data["text"]
    assert "failed in a way that nobody foresaw" in text
    assert "ZeroDivisionError" in text
    assert ("toys.py:" if part == "act" else "test_stepping.py:") in text
    assert "Traceback" not in text


@pytest.mark.parametrize("state", [{"path": Path()}, {"x": {1}}])
def test_a_state_that_can_not_be_noted_is_a_bug_of_the_step(tmp_path: Path, state: Any) -> None:
    run = run_of(tmp_path / "run", Effect("one").step(before=lambda _: state))

    assert perform(run).exit_code == 6
    assert "is not JSON serializable" in last_outcome(run, "one").data["text"]


def test_a_step_that_leaves_the_program_fails(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", Effect("one").step(act=lambda *_: os.sys.exit(3)))  # type: ignore[attr-defined]

    assert perform(run).exit_code == 6


@pytest.mark.parametrize("attempts", [1, 3])
def test_a_step_that_hangs_is_given_up_and_not_tried_beside_itself(tmp_path: Path, attempts: int) -> None:
    over = threading.Event()
    diary: list[str] = []

    def hang(_tools: Any, _scope: Scope) -> str:
        diary.append("act")
        over.wait(20)
        return "late"

    def undo(_tools: Any, _scope: Scope) -> str:
        over.set()
        return "ended it"

    run = run_of(tmp_path / "run", Effect("one").step(act=hang, undo=undo, done=None, seconds=0.2, attempts=attempts))
    perform(run)

    assert (outcome_of(run, "one"), last_outcome(run, "one").data["reason"]) == (Outcome.FAILED, "timed out")
    assert "no answer within 0.2 s" in last_outcome(run, "one").data["text"]
    assert diary == ["act"]


def test_an_act_that_outlives_its_own_undo_needs_a_person(tmp_path: Path) -> None:
    over = threading.Event()

    def hang(_tools: Any, _scope: Scope) -> str:
        over.wait(20)
        return "late"

    ending = perform(run_of(tmp_path / "run", Effect("one").step(act=hang, done=None, seconds=0.2)))
    over.set()

    assert (ending.status, ending.exit_code) == (Status.NEEDS_PERSON, 7)
    assert "had not ended when it was taken back" in ending.mend


def test_a_question_that_hangs_may_be_asked_again(tmp_path: Path) -> None:
    over, asked = threading.Event(), itertools.count()
    run = run_of(
        tmp_path / "run",
        Effect("one").step(done=lambda *_: over.wait(20) if next(asked) == 0 else True, seconds=0.2, attempts=2),
    )

    assert perform(run).status is Status.DONE
    over.set()


def test_a_step_that_was_given_up_can_not_write_into_the_run_any_more(tmp_path: Path) -> None:
    over, refused = threading.Event(), threading.Event()

    def hang(_tools: Any, scope: Scope) -> str:
        over.wait(20)
        with pytest.raises(SystemFault, match="this step was given up before"):
            scope.record("note", text="late")
        with pytest.raises(SystemFault, match="this step was given up before"):
            scope.say("late")
        refused.set()
        return "late"

    run = run_of(tmp_path / "run", Effect("one").step(act=hang, done=None, undo=None, seconds=0.2))
    perform(run)
    run.recorder.append("end")
    over.set()

    assert refused.wait(10)
    assert [record.kind for record in records(run)] == ["outcome", "end"]


def test_a_step_records_and_speaks_from_any_of_its_threads(tmp_path: Path) -> None:
    said: list[str] = []

    class Listener:
        def recorded(self, record: Record, all_of_them: Sequence[Record]) -> None:
            assert all_of_them[-1] == record

        def said(self, _step: str, text: str) -> None:
            said.append(text)

    def act(_tools: Any, scope: Scope) -> str:
        def work(name: str) -> None:
            for number in range(20):
                scope.record("note", by=name, number=number)
                scope.say(f"{name} {number}")

        threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return "worked"

    run = run_of(
        tmp_path / "run",
        Step(name="one", title="One", act=act),
        recorder=recorder_in(tmp_path / "run", observers=[Listener()]),
    )

    assert perform(run).status is Status.DONE
    assert len(records(run)) == 61
    assert len(said) == 60


def test_a_display_that_breaks_does_not_stop_the_run(tmp_path: Path) -> None:
    said: list[str] = []

    class Broken:
        def recorded(self, *_: Any) -> None:
            raise BrokenPipeError("nobody reads")

        def said(self, *_: Any) -> None:
            raise AssertionError("it was told of nothing after it broke")

    class Listener(Broken):
        def recorded(self, *_: Any) -> None:
            pass

        def said(self, _step: str, text: str) -> None:
            said.append(text)

    recorder = recorder_in(tmp_path / "run", observers=[Broken(), Listener()])

    assert perform(run_of(tmp_path / "run", Effect("one").step(), recorder=recorder)).status is Status.DONE
    assert said == ["Broken shows nothing more: BrokenPipeError: nobody reads"]
