"""Waits as long as a server that is asked too often wants, within a limit; 429 is its word for that.

No library does: `httpx-retries` sleeps where a stop request can't reach it, and cuts a wait short instead of giving up
at once when it is known to be too long.
"""

from __future__ import annotations

import email.utils
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.http.client import Answer

TOO_MANY = 429
FIRST_WAIT = 1.0
"""Seconds. Where a server does not say how long to wait, this, then twice as long each time."""


def retry_after(answer: Answer) -> float | None:
    """How many seconds the server wants us to wait: its Retry-After, which is a number or a date; None if it is silent.

    RFC 9110, section 10.2.3.
    """
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


class Patience:
    """How long one question may be repeated.

    Args:
        seconds: The longest time to spend waiting, all waits of one question together.
        stopping: Set when the operator stops the run: no wait goes on then.
    """

    def __init__(self, seconds: float, stopping: threading.Event) -> None:
        self.seconds = seconds
        self.stopping = stopping

    def ask(self, question: Callable[[], Answer], wanted: Callable[[Answer], float | None] = retry_after) -> Answer:
        """The answer that is not "too many requests".

        Args:
            question: Asks once.
            wanted: How many seconds such an answer wants us to wait; None if it does not say.

        Raises:
            SystemFault: RATE_LIMITED, at once if the server wants more time than is left.
        """
        deadline, usual = time.monotonic() + self.seconds, FIRST_WAIT
        while True:
            answer = question()
            if answer.status != TOO_MANY:
                return answer
            asked = wanted(answer)
            wait = usual if asked is None else max(asked, 0.05)
            usual *= 2
            left = deadline - time.monotonic()
            if wait > left or self.stopping.wait(wait):
                raise SystemFault(
                    "too many requests were made",
                    reason=Reason.RATE_LIMITED,
                    where=f"{answer.method} {answer.url}",
                    found=f"HTTP {TOO_MANY}, {_said(asked)}; no more than {self.seconds:g} s are waited for",
                    mend="ask again later",
                )


def _said(asked: float | None) -> str:
    return "which does not say until when" if asked is None else f"to be asked again in {asked:.0f} s"
