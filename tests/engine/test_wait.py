from __future__ import annotations

import itertools
import time

import pytest

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.wait import until


def test_the_first_true_answer_is_returned() -> None:
    answers = iter([0, None, "ready"])

    assert until(lambda: next(answers), seconds=5, what="x", pause=0) == "ready"


def test_a_question_is_asked_even_with_no_time() -> None:
    assert until(lambda: 7, seconds=0, what="x") == 7


def test_the_deadline_names_what_was_waited_for_and_the_last_answer() -> None:
    began = time.monotonic()

    with pytest.raises(SystemFault, match=r"it did not answer within 0\.05 s") as caught:
        until(lambda: "", seconds=0.05, what="it did not answer", pause=0.01)

    assert caught.value.reason is Reason.TIMED_OUT
    assert caught.value.found == "''"
    assert time.monotonic() - began < 2


def test_an_unreachable_system_is_asked_again() -> None:
    attempts = itertools.count()

    def third_time_lucky() -> bool:
        if next(attempts) < 2:
            raise ConnectionRefusedError("nobody there")
        return True

    assert until(third_time_lucky, seconds=5, what="x", pause=0)


def test_the_last_exception_is_reported() -> None:
    def refuse() -> bool:
        raise SystemFault("not yet", reason=Reason.REFUSED)

    with pytest.raises(SystemFault) as caught:
        until(refuse, seconds=0, what="x")

    assert caught.value.found == "SystemFault: not yet"


def test_named_exceptions_mean_not_yet() -> None:
    answers = iter([1])

    def absent_then_present() -> bool:
        if next(answers, 0):
            raise KeyError("absent")
        return True

    assert until(absent_then_present, seconds=5, what="x", pause=0, ignoring=(KeyError,))


def test_a_bug_in_the_question_is_not_waited_for() -> None:
    def bug() -> bool:
        raise TypeError("a bug")

    with pytest.raises(TypeError):
        until(bug, seconds=5, what="x")
