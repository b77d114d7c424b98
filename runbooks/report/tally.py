"""The document's sections with their counts: the conclusion's own numbers, or until then what is known so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runbooks.engine.outcome import Verdict
from runbooks.report.view import CheckView, RunView

VERDICTS = ("passed", "failed", "unknown", "warned", "waived", "attested", "skipped")
"""The columns of a summary."""


@dataclass(frozen=True)
class SectionView:
    """One section. ``items`` is None as long as the run has not concluded: only then the document is counted."""

    title: str
    gated: bool
    items: int | None
    built: int | None
    counts: Mapping[str, int]
    checks: tuple[CheckView, ...]

    @property
    def asked(self) -> int:
        return sum(check.verdict is not None for check in self.checks)

    @property
    def open(self) -> tuple[CheckView, ...]:
        """The checks without an answer yet."""
        return tuple(check for check in self.checks if check.verdict is None)

    @property
    def open_count(self) -> int:
        return len(self.open)


def sections(run: RunView) -> tuple[SectionView, ...]:
    """The sections in the document's order."""
    by_title: dict[str, list[CheckView]] = {}
    for check in run.checks:
        by_title.setdefault(check.section, []).append(check)
    if run.conclusion is None:
        return tuple(_so_far(title, tuple(checks)) for title, checks in by_title.items())
    told = [_concluded(facts, tuple(by_title.pop(facts["title"], ()))) for facts in run.conclusion.get("sections", ())]
    return tuple(told + [_so_far(title, tuple(checks)) for title, checks in by_title.items()])


def totals(parts: tuple[SectionView, ...]) -> dict[str, int]:
    """The verdicts of all sections together."""
    return {word: sum(part.counts[word] for part in parts) for word in VERDICTS}


def _so_far(title: str, checks: tuple[CheckView, ...]) -> SectionView:
    counts = {word: sum(check.verdict is Verdict(word) for check in checks) for word in VERDICTS}
    return SectionView(title, False, None, None, counts, checks)


def _concluded(facts: Mapping[str, Any], checks: tuple[CheckView, ...]) -> SectionView:
    counts = {word: int(facts[word]) for word in VERDICTS}
    return SectionView(str(facts["title"]), bool(facts["gated"]), facts["items"], facts["built"], counts, checks)
