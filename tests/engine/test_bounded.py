from __future__ import annotations

import signal
import threading
import time

import pytest

from runbooks.engine.bounded import Overrun, bounded
from runbooks.engine.errors import Reason


def test_the_result_and_the_error_of_the_call_come_through() -> None:
    assert bounded(lambda: 7, 5, "seven") == 7
    with pytest.raises(KeyError, match="why"):
        bounded(lambda: {"a": 1}["why"], 5, "why")


def test_a_call_that_hangs_is_left_behind_in_time() -> None:
    over = threading.Event()
    began = time.monotonic()
    with pytest.raises(Overrun, match=r"no answer within 0\.3 s") as caught:
        bounded(lambda: over.wait(20), 0.3, "hangs")

    assert 0.3 <= time.monotonic() - began < 5
    assert caught.value.reason is Reason.TIMED_OUT
    assert caught.value.call.running
    over.set()


def test_a_signal_that_another_thread_took_is_noticed_while_waiting() -> None:
    """As when it arrives between the last look for signals and the sleep: nothing wakes the sleeper."""
    noticed = threading.Event()
    previous = signal.signal(signal.SIGUSR1, lambda *_: noticed.set())

    def call() -> bool:
        threading.Event().wait(0.3)  # by now the waiting has begun
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
        return noticed.wait(10)

    try:
        assert bounded(call, 15, "signalled")
    finally:
        signal.signal(signal.SIGUSR1, previous)
