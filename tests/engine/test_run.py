"""A run as a whole: what is taken back, who loses the lease, how it ends."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from runbooks.engine.errors import LeaseLost, NeedsPerson, Reason, Stopped, SystemFault
from runbooks.engine.journal import Journal, JournalUnwritable, Record
from runbooks.engine.outcome import Outcome, Status
from runbooks.engine.run import Ending, compensate, perform
from runbooks.engine.step import Conclusion, Scope, Step
from runbooks.engine.stepping import Run
from tests.engine.toys import FAILING, Effect, outcome_of, recorder_in, records, refuse, run_of, told


def mistaken(_tools: Any, _scope: Scope) -> str:
    return str(1 // 0)


def lost() -> None:
    raise LeaseLost("the lease is no longer ours")


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
    run = run_of(tmp_path / "run", Effect("one", diary).step(), Effect("two", diary).step(undo=mistaken), FAILING)
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
    tidy = Step[Any](name="tidy", title="Tidy", act=mistaken, always=True)
    other = Effect("other")
    run = run_of(tmp_path / "run", FAILING, tidy, other.step(always=True))
    ending = perform(run)

    assert "it does not work" in str(ending.error)
    assert outcome_of(run, "tidy") is Outcome.FAILED
    assert other.there


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
