"""What an interrupted run had done, as its journal tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from runbooks.engine.journal import Record
from runbooks.engine.outcome import Outcome


@dataclass(frozen=True)
class Past:
    """Per step name: the state noted before its effect, and its last outcome if one was recorded."""

    before: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    outcomes: Mapping[str, Outcome] = field(default_factory=lambda: MappingProxyType({}))
    undone: frozenset[str] = frozenset()
    undoing: bool = False
    changed: frozenset[str] = frozenset()
    """Steps that changed something, or may have: acted on, and not found to have been so already."""
    waiting: str = ""
    """The step that stopped for a person last, and has not come to its end since."""
    accepted: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """By step: what a person said who answered in its stead."""

    @classmethod
    def of(cls, records: Sequence[Record]) -> Past:
        """Read the past out of a journal's records."""
        before: dict[str, Mapping[str, Any]] = {}
        outcomes: dict[str, Outcome] = {}
        undone: set[str] = set()
        changed: set[str] = set()
        accepted: dict[str, str] = {}
        undoing, waiting = False, ""
        for record in records:
            step = record.data.get("step", "")
            if record.kind == "intent":
                before.setdefault(step, record.data["before"])
                outcomes.pop(step, None)
                changed.add(step)
            elif record.kind == "outcome":
                outcomes[step] = Outcome(record.data["outcome"])
                waiting = "" if step == waiting else waiting
            elif record.kind == "waits":
                waiting = step
            elif record.kind == "accepted":
                accepted[step] = record.data["text"]
            elif record.kind == "undo-intent":
                undoing = True
            elif record.kind == "undo-outcome" and record.data["outcome"] == Outcome.COMPENSATED:
                undone.add(step)
        return cls(before, outcomes, frozenset(undone), undoing, frozenset(changed), waiting, accepted)

    def undecided(self, step: str) -> bool:
        """Whether it was acted on and did not come to its end: the effect may be there, or not, or half."""
        return step in self.before and self.outcomes.get(step) not in (Outcome.OK, Outcome.CHANGED)

    def interrupted(self, step: str) -> bool:
        """Whether the journal holds an intent for this step and no outcome: nobody knows if it happened."""
        return step in self.before and step not in self.outcomes
