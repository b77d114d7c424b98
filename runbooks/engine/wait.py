"""Waiting for something outside: ask again until a deadline, and say what was seen last."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from runbooks.engine.errors import Reason, SystemFault

Answer = TypeVar("Answer")


def until(
    condition: Callable[[], Answer],
    *,
    seconds: float,
    what: str,
    pause: float = 0.05,
    ignoring: tuple[type[Exception], ...] = (),
) -> Answer:
    """Ask until the answer is true, and return that answer. It is always asked at least once.

    Args:
        condition: The question. OSError, SystemFault and the classes in ``ignoring`` mean "not yet";
            any other exception is a bug and passes through at once.
        ignoring: More classes of exceptions that mean "not yet".
        seconds: The longest time to wait. The last question may overrun it: give it its own timeout.
        what: What did not come about, as a sentence for the operator ("PostgreSQL did not answer").
        pause: Seconds between two questions.

    Raises:
        SystemFault: TIMED_OUT, with the last exception or answer as what was found.
    """
    not_yet: tuple[type[Exception], ...] = (OSError, SystemFault, *ignoring)
    deadline = time.monotonic() + seconds
    while True:
        try:
            answer = condition()
            if answer:
                return answer
            found = repr(answer)
        except not_yet as error:
            found = f"{type(error).__name__}: {error}"
        left = deadline - time.monotonic()
        if left <= 0:
            raise SystemFault(f"{what} within {seconds:g} s", reason=Reason.TIMED_OUT, found=found)
        time.sleep(min(pause, left))
