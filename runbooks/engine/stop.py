"""SIGINT and SIGTERM ask a run to stop; it does so at its next safe point. A second signal ends the process at once."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from runbooks.engine.errors import Stopped

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Remembers the first signal."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.signal_number: int | None = None

    def raise_if_made(self) -> None:
        """Call where stopping leaves nothing half done.

        Raises:
            Stopped: a signal has arrived.
        """
        if self.signal_number is not None:
            raise Stopped(self.signal_number)

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Listen for the signals; give them back to whoever had them afterwards."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        previous = {number: signal.signal(number, self._note) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self.signal_number is not None:  # this call interrupts the one for the first
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self.signal_number = number
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        self.event.set()
        with contextlib.suppress(OSError):  # os.write, because print may be what the signal interrupted
            os.write(2, b"\nstopping at the next safe point; a second signal ends this at once\n")
