from __future__ import annotations

import itertools
import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from runbooks.engine.errors import InputError, LeaseLost, NeedsPerson, Reason, Stopped, SystemFault
from runbooks.engine.journal import Journal, JournalUnwritable, Record, read_intact
from runbooks.engine.outcome import Outcome, Status
from runbooks.engine.run import Ending, compensate, perform
from runbooks.engine.step import Conclusion, Scope, Step
from runbooks.engine.stepping import Run
from tests.engine.toys import Effect, last_outcome, outcome_of, recorder_in, records, run_of, told


def refuse(*_arguments: Any) -> str:
    raise SystemFault("it does not work", reason=Reason.UNREACHABLE)


FAILING: Step[Any] = Step(name="failing", title="Fail", act=refuse)


def lost() -> None:
    raise LeaseLost("the lease is no longer ours")


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
    assert ("toys.py:" if part == "act" else "test_run.py:") in text
    assert "Traceback" not in text


@pytest.mark.parametrize("state", [{"path": Path()}, {"x": {1}}])
def test_a_state_that_can_not_be_noted_is_a_bug_of_the_step(tmp_path: Path, state: Any) -> None:
    run = run_of(tmp_path / "run", Effect("one").step(before=lambda _: state))

    assert perform(run).exit_code == 6
    assert "is not JSON serializable" in last_outcome(run, "one").data["text"]


def test_a_step_that_leaves_the_program_fails(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", Effect("one").step(act=lambda *_: os.sys.exit(3)))  # type: ignore[attr-defined]

    assert perform(run).exit_code == 6


def test_compensation_goes_last_first_and_begins_with_the_step_that_failed(tmp_path: Path) -> None:
    diary: list[str] = []
    steps = [Effect(name, diary).step() for name in ("one", "two")]
    failing = Effect("three", diary)
    already = Effect("already", diary)
    already.there = True
    run = run_of(tmp_path / "run", *steps, already.step(), failing.step(act=failing.fail), Effect("four", diary).step())
    ending = perform(run)

    assert ending.exit_code == 6
    assert diary == ["make one", "make two", "take back three", "take back two", "take back one"]


def test_an_undo_that_fails_does_not_stop_the_others(tmp_path: Path) -> None:
    diary: list[str] = []
    run = run_of(tmp_path / "run", Effect("one", diary).step(), Effect("two", diary).step(undo=BUGGY["done"]), FAILING)
    ending = perform(run)

    assert (ending.status, ending.exit_code) == (Status.NEEDS_PERSON, 7)
    assert ending.mend == "look at two, then: invoke runs.abort run-1"
    assert diary[-1] == "take back one"
    assert told(run)[-4:] == [
        "undo-intent two",
        "undo-outcome two failed",
        "undo-intent one",
        "undo-outcome one compensated",
    ]


def test_where_the_way_back_is_in_order_nothing_is_undone_ahead_of_what_relies_on_it(tmp_path: Path) -> None:
    diary: list[str] = []
    two = Effect("two", diary)

    def once_somebody_has_done_it(tools: Any, scope: Scope) -> str:
        if "asked" not in diary:
            diary.append("asked")
            raise NeedsPerson("somebody has to do it")
        return two.take_back(tools, scope)

    steps = [Effect("one", diary).step(), two.step(undo=once_somebody_has_done_it), FAILING]
    run = run_of(tmp_path / "run", *steps, back_in_order=True)

    ending = perform(run)

    assert (ending.status, ending.exit_code) == (Status.NEEDS_PERSON, 7)
    assert diary == ["make one", "make two", "asked"]
    assert compensate(run, None).status is Status.COMPENSATED
    assert diary[3:] == ["take back two", "take back one"]


def test_a_runbook_that_changes_nothing_takes_nothing_back(tmp_path: Path) -> None:
    effect = Effect("one")
    ending = perform(run_of(tmp_path / "run", effect.step(), FAILING, changes=False))

    assert (ending.status, ending.exit_code) == (Status.FAILED, 1)
    assert effect.there


@pytest.mark.parametrize("how", ["failure", "stop", "abort"])
def test_cleaning_up_happens_whatever_came_before(tmp_path: Path, how: str) -> None:
    effect, tidy = Effect("one"), Effect("tidy")
    run = run_of(tmp_path / "run", effect.step(), FAILING, tidy.step(always=True, undo=None, done=None))
    if how == "stop":
        run.stop.signal_number = signal.SIGTERM
    ending = compensate(run, None) if how == "abort" else perform(run)

    assert ending.exit_code == {"failure": 6, "stop": 143, "abort": 6}[how]
    assert tidy.diary == ["make tidy"]


def test_a_failure_in_cleaning_up_does_not_hide_the_first(tmp_path: Path) -> None:
    tidy = Step[Any](name="tidy", title="Tidy", act=BUGGY["done"], always=True)  # type: ignore[arg-type]
    other = Effect("other")
    run = run_of(tmp_path / "run", FAILING, tidy, other.step(always=True))
    ending = perform(run)

    assert "it does not work" in str(ending.error)
    assert outcome_of(run, "tidy") is Outcome.FAILED
    assert other.there


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


def test_without_the_lease_the_run_ends_before_its_next_effect(tmp_path: Path) -> None:
    diary: list[str] = []
    run = run_of(
        tmp_path / "run",
        Effect("one", diary).step(),
        Effect("two", diary).step(),
        Effect("tidy", diary).step(always=True),
        confirm_lease=lambda: lost() if diary else None,
    )
    ending = perform(run)

    assert (ending.status, ending.exit_code) == (Status.NEEDS_PERSON, 7)
    assert diary == ["make one"]


def test_a_lease_lost_while_undoing_ends_the_undoing(tmp_path: Path) -> None:
    diary: list[str] = []
    failed = threading.Event()

    def fail(*_: Any) -> str:
        failed.set()
        return refuse()

    run = run_of(
        tmp_path / "run",
        Effect("one", diary).step(),
        Step(name="fail", title="Fail", act=fail),
        confirm_lease=lambda: lost() if failed.is_set() else None,
    )
    ending = perform(run)

    assert (ending.status, ending.exit_code) == (Status.NEEDS_PERSON, 7)
    assert diary == ["make one"]


def test_a_silent_store_stops_new_effects_but_not_their_undoing(tmp_path: Path) -> None:
    diary: list[str] = []
    run = run_of(
        tmp_path / "run",
        Effect("one", diary).step(),
        Effect("two", diary).step(),
        Effect("tidy", diary).step(always=True),
        confirm_lease=lambda: refuse() if diary else None,  # type: ignore[arg-type]
    )

    assert perform(run).exit_code == 6
    assert diary == ["make one", "take back one", "make tidy"]


def test_what_can_not_be_recorded_is_not_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    diary: list[str] = []
    steps = [Effect(name, diary).step() for name in ("one", "two")]
    run = run_of(tmp_path / "run", *steps, Effect("tidy", diary).step(always=True, done=None, undo=None))
    real = os.fsync

    def full(descriptor: int) -> None:
        if diary:
            raise OSError(28, "No space left on device")
        real(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(JournalUnwritable) as caught:
            perform(run)

    assert caught.value.exit_code == 7
    assert diary == ["make one"]
    assert told(run) == ["intent one"], "so that a resume asks whether it happened"


def test_a_step_may_call_for_a_person(tmp_path: Path) -> None:
    def act(*_: Any) -> str:
        raise NeedsPerson("look at this")

    effect = Effect("zero")
    ending = perform(run_of(tmp_path / "run", effect.step(), Effect("one").step(act=act)))

    assert (ending.status, ending.exit_code) == (Status.NEEDS_PERSON, 7)
    assert effect.there, "nothing is undone behind that person's back"


def test_the_conclusion_is_recorded_and_gives_the_exit_code(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", conclude=lambda _: Conclusion("NO-GO", 3, {"counts": {"failed": 1}}))

    assert perform(run) == Ending(Status.DONE, 3, verdict="NO-GO")
    assert records(run)[-1].data == {"counts": {"failed": 1}}


@pytest.mark.parametrize(("changes", "status", "code"), [(True, Status.NEEDS_PERSON, 7), (False, Status.FAILED, 1)])
def test_a_bug_in_the_conclusion_takes_nothing_back(tmp_path: Path, changes: bool, status: Status, code: int) -> None:
    effect = Effect("one")
    run: Run[Any] = run_of(
        tmp_path / "run", effect.step(), changes=changes, conclude=lambda _: Conclusion("GO", 1 // 0)
    )
    ending = perform(run)

    assert (ending.status, ending.exit_code) == (status, code)
    assert effect.there


def test_a_stop_during_the_last_step_comes_before_the_conclusion(tmp_path: Path) -> None:
    def act(_tools: Any, _scope: Scope) -> str:
        run.stop.signal_number = signal.SIGINT
        return "half of the questions asked"

    run = run_of(tmp_path / "run", Step(name="ask", title="Ask", act=act), conclude=lambda _: Conclusion("GO", 0))
    ending = perform(run)

    assert (ending.status, ending.exit_code, ending.verdict) == (Status.STOPPED, 130, "")
    assert isinstance(ending.error, Stopped)


def test_a_step_that_fails_because_of_the_stop_is_aborted_and_not_taken_back(tmp_path: Path) -> None:
    effect = Effect("zero")

    def act(*_: Any) -> str:
        run.stop.signal_number = signal.SIGINT
        run.stop.event.set()
        raise SystemFault("pg_dump was interrupted", reason=Reason.FAILED)

    run = run_of(tmp_path / "run", effect.step(), Effect("one").step(act=act, attempts=3))
    ending = perform(run)

    assert (ending.status, ending.mend) == (Status.STOPPED, "invoke runs.resume run-1")
    assert told(run)[-1] == "outcome one aborted"
    assert effect.there


def test_an_observer_that_can_not_keep_the_log_ends_the_run(tmp_path: Path) -> None:
    class Log:
        def recorded(self, record: Record, _records: Sequence[Record]) -> None:
            if record.kind == "outcome":
                raise JournalUnwritable("the run log can't be written")

        def said(self, *_: Any) -> None:
            pass

    two = Effect("two")
    recorder = recorder_in(tmp_path / "run", observers=[Log()])
    with pytest.raises(JournalUnwritable):
        perform(run_of(tmp_path / "run", Effect("one").step(), two.step(), recorder=recorder))

    assert not two.there
    assert isinstance(recorder.journal, Journal)
