"""Where a run writes: its journal first, then whoever renders or shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from runbooks.engine.journal import Journal, Record
from runbooks.engine.redact import Redactor


class Observer(Protocol):
    """Shows a run while it goes on. It gets only text and data that are free of secrets."""

    def recorded(self, record: Record, records: Sequence[Record]) -> None:
        """A record is on disk; ``records`` are all of the run so far."""

    def said(self, step: str, text: str) -> None:
        """A step tells how far it is; this is not in the journal."""


class Recorder:
    """Appends to the journal and tells the observers, in that order."""

    def __init__(self, journal: Journal, redactor: Redactor, observers: Sequence[Observer] = ()) -> None:
        self.journal = journal
        self.redactor = redactor
        self.observers = observers

    def append(self, kind: str, **data: Any) -> Record:
        """Write one record; see `Journal.append`."""
        record = self.journal.append(kind, **data)
        for observer in self.observers:
            observer.recorded(record, self.journal.records)
        return record

    def say(self, step: str, text: str) -> None:
        """Show progress that is not worth a record."""
        clean = self.redactor.text(text)
        for observer in self.observers:
            observer.said(step, clean)
