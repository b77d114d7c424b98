"""Where a run writes: its journal first, then whoever renders or shows it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

from runbooks.engine.errors import RunbookError
from runbooks.engine.journal import Journal, Record
from runbooks.engine.redact import Redactor


class Observer(Protocol):
    """Shows a run while it goes on. It gets only text and data that are free of secrets."""

    def recorded(self, record: Record, records: Sequence[Record]) -> None:
        """A record is on disk; ``records`` are all of the run so far."""

    def said(self, step: str, text: str) -> None:
        """A step tells how far it is; this is not in the journal."""


@runtime_checkable
class Moving(Protocol):
    """An observer that shows more while a step goes on: a terminal, where a line can be replaced."""

    def progressed(self, step: str, text: str) -> None:
        """How far a step is, in place of what it told before."""


class Recorder:
    """Appends to the journal and tells the observers, in that order, whichever thread speaks.

    An observer whose terminal or pipe is gone, or that has a bug, is told no more: nobody watching is no reason to
    leave a deploy half done; `lost` keeps why, to be told once the run is over. Only a run
    log that can't be written stops the run.
    """

    def __init__(self, journal: Journal, redactor: Redactor, observers: Sequence[Observer] = ()) -> None:
        self.journal = journal
        self.redactor = redactor
        self.observers = list(observers)
        self.lost: list[str] = []
        self._one_at_a_time = threading.RLock()

    def append(self, kind: str, **data: Any) -> Record:
        """Write one record; see `Journal.append`."""
        with self._one_at_a_time:
            record = self.journal.append(kind, **data)
            self._tell(lambda observer: observer.recorded(record, self.journal.records))
            return record

    def say(self, step: str, text: str) -> None:
        """Show progress that is not worth a record."""
        clean = self.redactor.text(text)
        with self._one_at_a_time:
            self._tell(lambda observer: observer.said(step, clean))

    def progress(self, step: str, text: str) -> None:
        """Show how far a step is to those observers that can replace what they have shown."""
        clean = self.redactor.text(text)
        with self._one_at_a_time:
            self._tell(lambda observer: observer.progressed(step, clean) if isinstance(observer, Moving) else None)

    def _tell(self, what: Callable[[Observer], None]) -> None:
        for observer in list(self.observers):
            try:
                what(observer)
            except RunbookError:
                raise
            except Exception as error:
                self.observers.remove(observer)
                self._tell_of_loss(observer, error)

    def _tell_of_loss(self, observer: Observer, error: Exception) -> None:
        found = f"{type(observer).__name__} shows nothing more: {type(error).__name__}: {error}"
        text = self.redactor.text(found)
        self.lost.append(text)
        self._tell(lambda other: other.said("display", text))
