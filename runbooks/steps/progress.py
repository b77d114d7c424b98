"""How far a long step is: bytes, rate and time left, for whoever waits at a terminal."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

from runbooks.engine.step import Scope
from runbooks.steps.making import size

PAUSE = 0.5
"""Seconds between two that are shown."""
POLL = 1.0
"""Seconds between two looks at something that has to be asked how far it is."""


class Progress:
    """Counts bytes, whichever thread has moved them. ``total``: how many there will be; None: nobody knows."""

    def __init__(self, scope: Scope, total: int | None) -> None:
        self._scope = scope
        self._total = total
        self._done = 0
        self._began = self._shown = time.monotonic()
        self._one_at_a_time = threading.Lock()

    def add(self, count: int) -> None:
        """So many more."""
        with self._one_at_a_time:
            self._done += count
            self._show()

    def reach(self, done: int) -> None:
        """So many by now."""
        with self._one_at_a_time:
            self._done = max(done, self._done)
            self._show()

    def _show(self) -> None:
        now = time.monotonic()
        if now - self._shown >= PAUSE:
            self._shown = now
            self._scope.progress(told(self._done, self._total, now - self._began))


def told(done: int, total: int | None, seconds: float) -> str:
    """``1.2 GB of 3.4 GB, 85.0 MB/s, 26 s left``; an estimate that was too low is not held on to."""
    rate = done / seconds if seconds else 0.0
    words = [f"{size(done)} of {size(total)}" if total and done <= total else size(done), f"{size(int(rate))}/s"]
    if total and done <= total and rate:
        words.append(f"{_spoken((total - done) / rate)} left")
    return ", ".join(words)


def _spoken(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


class _Counted:
    """A source whose bytes are counted as they are read."""

    def __init__(self, source: BinaryIO, progress: Progress) -> None:
        self._source = source
        self._progress = progress

    def read(self, count: int = -1) -> bytes:
        piece = self._source.read(count)
        self._progress.add(len(piece))
        return piece


def counted(source: BinaryIO, progress: Progress) -> BinaryIO:
    """The source, whose bytes are counted as they are read."""
    return cast("BinaryIO", _Counted(source, progress))


def passing(pieces: Iterator[bytes], progress: Progress) -> Iterator[bytes]:
    """The pieces, counted as they pass."""
    for piece in pieces:
        progress.add(len(piece))
        yield piece


@contextlib.contextmanager
def watched(scope: Scope, total: int | None, measure: Callable[[], int]) -> Iterator[None]:
    """During the block, what another program has done so far is asked for, and shown.

    Args:
        measure: How many bytes by now. Once it fails, nobody asks any more: it is no reason to give the step up.
    """
    over, progress = threading.Event(), Progress(scope, total)

    def ask() -> None:
        with contextlib.suppress(Exception):
            while not over.wait(POLL):
                progress.reach(measure())

    thread = threading.Thread(target=ask, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
