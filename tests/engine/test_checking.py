from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runbooks.engine import checking
from runbooks.engine.check import Check, Evidence, Finding, Phase, Result, Results, Reused, Severity, failed, passed
from runbooks.engine.checking import Questioning, ask_all, closure
from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.outcome import Verdict
from runbooks.engine.wait import until

Look = Callable[[Any, Results], Finding]
GOOD = passed("an answer", "an answer")
BAD = failed("an answer", "none", "mend it")


def good(_tools: Any, _known: Results) -> Finding:
    return GOOD


def check(id: str, look: Look = good, **changed: Any) -> Check[Any]:
    facts: dict[str, Any] = {
        "title": f"{id} is well",
        "number": None,
        "section": "toys",
        "severity": Severity.MINOR,
        "evidence": Evidence.PROBE,
        "phase": Phase.LIVE,
        "valid_for": timedelta(hours=1),
        "depends_on": (),
        "target": "toy",
    }
    return Check(id=id, look=look, **{**facts, **changed})


def ask(
    *checks: Check[Any],
    cap: int = 4,
    stopping: threading.Event | None = None,
    reuse: Callable[[Check[Any]], Reused | None] = lambda _check: None,
    on_result: Callable[[Check[Any], Result], None] = lambda _check, _result: None,
    known: Results | None = None,
) -> dict[str, Result]:
    how = Questioning(tools=None, cap=cap, stopping=stopping or threading.Event(), reuse=reuse, on_result=on_result)
    return ask_all(how, checks, known or {})


@pytest.fixture
def over() -> Iterator[threading.Event]:
    """Lets whatever hangs go at the end of the test."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "RETRY_PAUSE", 0.01)


def test_each_check_is_asked_after_what_it_depends_on_and_sees_its_result() -> None:
    seen: dict[str, set[str]] = {}

    def look(name: str) -> Look:
        def looking(_tools: Any, known: Results) -> Finding:
            seen[name] = set(known)
            return GOOD

        return looking

    checks = [
        check("c", look("c"), depends_on=("a", "b")),
        check("b", look("b"), depends_on=("a",)),
        check("a", look("a")),
    ]

    assert list(ask(*checks)) == ["a", "b", "c"]
    assert seen == {"a": set(), "b": {"a"}, "c": {"a", "b"}}


def test_what_is_known_from_before_counts() -> None:
    before = ask(check("a"))

    assert ask(check("b", depends_on=("a",)), known=before)["b"].verdict is Verdict.PASSED


@pytest.mark.parametrize("bad", [BAD, Finding(Verdict.UNKNOWN, "x", "y", reason=Reason.UNREACHABLE)])
def test_what_depends_on_something_bad_is_not_looked_at(bad: Finding) -> None:
    looked: list[str] = []
    results = ask(
        check("a", lambda *_: bad),
        check("b", lambda *_: looked.append("b") or GOOD, depends_on=("a",)),  # type: ignore[func-returns-value]
        check("c", depends_on=("b",)),
    )

    assert looked == []
    assert results["b"].verdict is results["c"].verdict is Verdict.UNKNOWN
    assert results["b"].finding.found == f"not looked at: a is {bad.verdict}"
    assert results["b"].finding.reason is bad.reason
    assert results["b"].attempts == 0


def test_what_depends_on_something_that_was_not_asked_is_unknown() -> None:
    assert ask(check("b", depends_on=("a",)))["b"].finding.found == "not looked at: a is not asked"


def test_a_gate_is_looked_at_whatever_came_before() -> None:
    gate = check("gate", lambda _, known: BAD if not known["a"].verdict.good else GOOD, depends_on=("a",), gate=True)

    assert ask(gate, check("a", lambda *_: BAD))["gate"].verdict is Verdict.FAILED


def test_standing_after_another_is_an_order_and_no_condition() -> None:
    results = ask(check("b", after=("a", "not asked")), check("a", lambda *_: BAD))

    assert list(results) == ["a", "b"]
    assert results["b"].verdict is Verdict.PASSED


class Crowd:
    """Counts who looks at the same time."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.now: dict[str, int] = {}
        self.most: dict[str, int] = {}

    def look(self, target: str) -> Look:
        def looking(_tools: Any, _known: Results) -> Finding:
            with self.lock:
                self.now[target] = self.now.get(target, 0) + 1
                self.most[target] = max(self.most.get(target, 0), self.now[target])
            threading.Event().wait(0.02)
            with self.lock:
                self.now[target] -= 1
            return GOOD

        return looking


@pytest.mark.parametrize("cap", [1, 3])
def test_no_more_checks_of_one_target_run_at_a_time_than_allowed(cap: int) -> None:
    crowd = Crowd()
    checks = [check(f"{target}{n}", crowd.look(target), target=target) for target in ("web", "db") for n in range(9)]

    assert len(ask(*checks, cap=cap)) == 18
    assert crowd.most == {"web": cap, "db": cap}


def test_a_check_that_hangs_is_unknown_and_stops_nothing_else(over: threading.Event) -> None:
    began = time.monotonic()
    results = ask(
        check("hangs", lambda *_: over.wait(20) and GOOD, seconds=0.2),  # type: ignore[arg-type]
        check("waits", depends_on=("hangs",)),
        *[check(f"other{n}") for n in range(5)],
        cap=1,
    )

    assert time.monotonic() - began < 5
    assert results["hangs"].verdict is Verdict.UNKNOWN
    assert results["hangs"].finding.reason is Reason.TIMED_OUT
    assert results["waits"].finding.reason is Reason.TIMED_OUT
    assert sum(result.verdict is Verdict.PASSED for result in results.values()) == 5


def test_a_result_that_comes_too_late_is_ignored(over: threading.Event) -> None:
    told: list[tuple[str, Verdict]] = []
    late = threading.Event()

    def slow(_tools: Any, _known: Results) -> Finding:
        over.wait(20)
        late.set()
        return GOOD

    def wait_for_the_late(_tools: Any, _known: Results) -> Finding:
        over.set()
        until(late.is_set, seconds=10, what="the late one did not return")
        threading.Event().wait(0.1)
        return GOOD

    results = ask(
        check("slow", slow, seconds=0.2),
        check("next", wait_for_the_late, after=("slow",)),
        on_result=lambda one, result: told.append((one.id, result.verdict)),
    )

    assert told == [("slow", Verdict.UNKNOWN), ("next", Verdict.PASSED)]
    assert results["slow"].verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("look", [lambda *_: 1 // 0, lambda *_: None])
def test_a_check_that_crashes_is_unknown_and_says_where(look: Any) -> None:
    results = ask(check("bad", look), check("fine"))

    assert results["bad"].verdict is Verdict.UNKNOWN
    assert "the check itself crashed" in results["bad"].finding.found
    assert "py:" in results["bad"].finding.found
    assert results["fine"].verdict is Verdict.PASSED


def failing_first(times: int, error: Exception) -> tuple[Look, list[int]]:
    tries: list[int] = []

    def look(_tools: Any, _known: Results) -> Finding:
        tries.append(1)
        if len(tries) <= times:
            raise error
        return GOOD

    return look, tries


def test_what_could_not_be_looked_at_is_tried_again() -> None:
    look, _ = failing_first(2, SystemFault("no route", reason=Reason.UNREACHABLE))
    result = ask(check("a", look, attempts=3))["a"]

    assert (result.verdict, result.attempts) == (Verdict.PASSED, 3)


@pytest.mark.parametrize("reason", [Reason.UNAUTHORISED, Reason.RATE_LIMITED])
def test_what_would_only_be_refused_again_is_not_tried_again(reason: Reason) -> None:
    look, tries = failing_first(9, SystemFault("refused", reason=reason))
    result = ask(check("a", look, attempts=3))["a"]

    assert (result.verdict, result.finding.reason, len(tries)) == (Verdict.UNKNOWN, reason, 1)


def test_a_bad_answer_is_not_asked_for_again() -> None:
    tries: list[int] = []
    result = ask(check("a", lambda *_: tries.append(1) or BAD, attempts=3))["a"]  # type: ignore[func-returns-value]

    assert (result.verdict, result.attempts, len(tries)) == (Verdict.FAILED, 1, 1)


def test_input_that_is_wrong_is_unknown_and_not_tried_again() -> None:
    look, tries = failing_first(9, InputError("no such file", where="x.toml", mend="write it"))
    result = ask(check("a", look, attempts=3))["a"]

    assert (result.finding.found, result.finding.mend, len(tries)) == ("no such file at x.toml", "write it", 1)


def test_earlier_evidence_stands_in_where_a_limit_is_spent_and_only_there() -> None:
    earlier = Reused("run-0", datetime(2026, 11, 23, tzinfo=UTC), GOOD)
    limited, _ = failing_first(9, SystemFault("429", reason=Reason.RATE_LIMITED))
    refused, _ = failing_first(9, SystemFault("401", reason=Reason.UNAUTHORISED))
    results = ask(check("limited", limited), check("refused", refused), check("good"), reuse=lambda _check: earlier)

    assert results["limited"].reused == earlier
    assert results["limited"].verdict is Verdict.PASSED
    assert results["refused"].verdict is Verdict.UNKNOWN
    assert results["good"].reused is None


def test_a_stop_ends_the_asking_promptly(over: threading.Event) -> None:
    stopping = threading.Event()
    asked: list[str] = []

    def stop(_check: Check[Any], _result: Result) -> None:
        stopping.set()

    began = time.monotonic()
    results = ask(
        check("first"),
        check("hangs", lambda *_: over.wait(20) and GOOD, target="other"),  # type: ignore[arg-type]
        check("later", lambda *_: asked.append("later") or GOOD, after=("first",)),  # type: ignore[func-returns-value]
        stopping=stopping,
        on_result=stop,
    )

    assert time.monotonic() - began < 5
    assert list(results) == ["first"]
    assert asked == []


def test_results_come_in_the_callers_thread() -> None:
    threads: set[str] = set()
    ask(*[check(f"c{n}") for n in range(5)], on_result=lambda *_: threads.add(threading.current_thread().name))

    assert threads == {threading.current_thread().name}


def test_the_closure_holds_all_that_is_depended_on_in_order() -> None:
    known = {
        one.id: one for one in (check("c", depends_on=("b",)), check("b", depends_on=("a",)), check("a"), check("z"))
    }

    assert closure(known, ["c"]) == ["a", "b", "c"]


def test_a_circle_and_an_unknown_id_are_refused() -> None:
    circle = {one.id: one for one in (check("a", depends_on=("b",)), check("b", depends_on=("a",)))}

    with pytest.raises(InputError, match="in a circle") as caught:
        closure(circle, ["a"])
    assert set(caught.value.found.split(" → ")) == {"a", "b"}
    with pytest.raises(InputError, match="no check is called x"):
        closure(circle, ["x"])


def test_a_circle_of_what_stands_after_what_is_refused_before_anything_is_asked() -> None:
    asked: list[str] = []
    first = check("first", lambda *_: asked.append("first") or GOOD)  # type: ignore[func-returns-value]

    with pytest.raises(InputError, match="in a circle"):
        ask(first, check("a", depends_on=("b",)), check("b", after=("a",)))
    assert asked == []
