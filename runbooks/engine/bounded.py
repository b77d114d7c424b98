"""Calls that may hang, given a time limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from runbooks.engine.errors import Reason, SystemFault

Result = TypeVar("Result")

LONGEST_SLEEP = 0.2
"""Seconds. A signal that arrives just as the main thread goes to sleep is only noticed when it wakes up."""


class Overrun(SystemFault):
    """A call did not return in time. It may still go on: ``call`` tells."""

    def __init__(self, call: Call, seconds: float) -> None:
        super().__init__(f"no answer within {seconds:g} s", reason=Reason.TIMED_OUT)
        self.call = call


class Call:
    """A function running in a thread of its own.

    A call that outlives its limit can't be killed, only left behind: the thread is a daemon, so it keeps neither the
    run nor the process waiting, and whatever it still does to the outside is bounded by its own time limits.
    """

    def __init__(self, function: Callable[[], object], name: str) -> None:
        self._function = function
        self._result: object = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._result = self._function()
        except BaseException as error:  # handed to whoever waits, whatever it is
            self._error = error

    @property
    def running(self) -> bool:
        """Whether the function has not returned yet."""
        return self._thread.is_alive()

    def wait(self, seconds: float) -> object:
        """The function's result, or its error.

        Raises:
            Overrun: it did not return in time.
        """
        deadline = time.monotonic() + seconds
        while self.running and (left := deadline - time.monotonic()) > 0:
            self._thread.join(min(left, LONGEST_SLEEP))
        if self.running:
            raise Overrun(self, seconds)
        if self._error is not None:
            raise self._error
        return self._result


def bounded(function: Callable[[], Result], seconds: float, name: str) -> Result:
    """Call the function and wait at most this long for it.

    Raises:
        Overrun: it did not return in time; otherwise whatever the function raised.
    """
    result: Result = Call(function, name).wait(seconds)  # type: ignore[assignment]
    return result
