"""How the longest chain of a run is read; fast, so part of the ordinary suite."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from runbooks.engine.journal import Record
from tests.benchmarks.chain import longest, longest_path, span

START = datetime(2030, 1, 1, tzinfo=UTC)


def record(second: float, kind: str, **data: Any) -> Record:
    return Record(1, START + timedelta(seconds=second), kind, data, "", "")


def test_the_longest_path_counts_what_is_waited_for() -> None:
    seconds = {"a": 1.0, "b": 2.0, "c": 4.0, "alone": 5.0}

    assert longest_path(seconds, {"c": ["a", "b"], "b": ["a"]}) == 7.0


def test_what_was_not_asked_is_not_waited_for() -> None:
    assert longest_path({"a": 1.0}, {"a": ["elsewhere"]}) == 1.0
    assert longest_path({}, {}) == 0.0


def test_steps_come_one_after_the_other_and_measured_checks_too() -> None:
    records = [
        record(0, "run"),
        record(1, "outcome", step="open-account", seconds=1.0),
        record(2, "check", id="a", seconds=0.5),
        record(2, "check", id="b", seconds=0.25),
        record(2, "check", id="c", seconds=0.5),
        record(3, "outcome", step="check", seconds=9.0),
        record(4, "check", id="d", seconds=0.5),
        record(5, "check", id="e", seconds=0.5),
        record(6, "outcome", step="measure", seconds=9.0),
        record(7.5, "outcome", step="clean-up", seconds=2.0),
    ]

    assert longest(records, {"c": ["b"]}) == 1.0 + 0.75 + 1.0 + 2.0
    assert span(records) == 7.5
