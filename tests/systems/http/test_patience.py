"""Who is asked to wait does so, within a limit and until somebody stops it."""

from __future__ import annotations

import email.utils
import threading
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.http.client import Answer
from runbooks.systems.http.patience import Patience, retry_after


def answer(status: int, wait: str | None = None) -> Answer:
    headers = httpx.Headers({"retry-after": wait} if wait is not None else {})
    return Answer("GET", "http://vendor/models", status, headers, b"", 0.01)


def asked(patience: Patience, *answers: Answer) -> tuple[int, float]:
    """The status in the end, and how long it took."""
    left, began = list(answers), time.monotonic()
    return patience.ask(lambda: left.pop(0)).status, time.monotonic() - began


def patience(seconds: float) -> Patience:
    return Patience(seconds, threading.Event())


def test_an_answer_that_asks_for_no_patience_is_taken_at_once() -> None:
    assert asked(patience(5), answer(500))[0] == 500


def test_it_asks_again_when_the_server_wants_it() -> None:
    status, seconds = asked(patience(5), answer(429, "0"), answer(429, "0"), answer(200))

    assert status == 200
    assert seconds < 1


def test_it_does_not_begin_a_wait_that_is_too_long() -> None:
    began = time.monotonic()
    with pytest.raises(SystemFault) as caught:
        asked(patience(2), answer(429, "120"))

    assert caught.value.reason is Reason.RATE_LIMITED
    assert caught.value.found == "HTTP 429, to be asked again in 120 s; no more than 2 s are waited for"
    assert time.monotonic() - began < 0.5


def test_a_server_that_never_has_time_is_given_up() -> None:
    with pytest.raises(SystemFault) as caught:
        asked(patience(0.2), *[answer(429, "0")] * 100)

    assert caught.value.reason is Reason.RATE_LIMITED


def test_stopping_the_run_ends_the_wait() -> None:
    stopping = threading.Event()
    threading.Timer(0.1, stopping.set).start()
    began = time.monotonic()

    with pytest.raises(SystemFault):
        asked(Patience(30, stopping), answer(429, "20"))

    assert time.monotonic() - began < 5


def test_the_wait_may_be_a_date() -> None:
    moment = email.utils.format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)

    assert retry_after(answer(429, moment)) == pytest.approx(90, abs=3)


def test_a_date_that_has_passed_means_now() -> None:
    assert retry_after(answer(429, "Wed, 21 Oct 2015 07:28:00 GMT")) == 0


@pytest.mark.parametrize("text", [None, "", "soon", "-1", "1e9", "Wed, 99 Oct 2015"])
def test_what_is_neither_says_nothing(text: str | None) -> None:
    assert retry_after(answer(429, text)) is None
