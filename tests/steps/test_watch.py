"""What a watch makes of its samples: gaps, figures, and the verdict. What it looks at is the sandbox's business."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runbooks.environment.watching import Watch
from runbooks.steps.watch import Window, line
from runbooks.steps.watch_report import NOT_WELL, UNDECIDED, WELL, Measure, gaps, judge, measures, page
from runbooks.systems.ledger.ledger import SAMPLE, Entry

BEGAN = datetime(2026, 11, 23, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WINDOW = Window("run", BEGAN, BEGAN + 60 * MINUTE, MINUTE)
WHAT = measures(Watch(), workers=1, budget_ms=500)

HEALTHY: dict[str, Any] = {
    "health": {"app": "", "database": ""},
    "latency_ms": [2.0, 3.0],
    "errors": {"lines": 0, "seconds": 60.0, "last": ""},
    "resources": {"cpu_percent": 4.0, "memory_mb": 90.0, "processes": 1},
    "connections": {"used": 3, "provisioned": 30},
    "queries": {"slowest": [{"statement": "SELECT 1", "calls": 2, "mean_ms": 0.4}]},
}


def samples(minutes: Iterable[int], **changed: Any) -> list[Entry]:
    return [Entry(BEGAN + minute * MINUTE, SAMPLE, "v1", {**HEALTHY, **changed}) for minute in minutes]


def judged(taken: list[Entry]) -> tuple[str, list[str], list[str]]:
    return judge(taken, WINDOW, WINDOW.until, WHAT)


def test_an_hour_of_healthy_samples_is_well() -> None:
    assert judged(samples(range(61))) == (WELL, [], [])


def test_a_pause_is_a_gap_and_leaves_it_undecided() -> None:
    taken = samples([*range(20), *range(40, 61)])

    word, wrong, blind = judged(taken)

    assert (word, wrong, blind) == (UNDECIDED, [], ["1 gaps, the longest 21 min"])
    assert gaps(taken, WINDOW, WINDOW.until) == [(BEGAN + 19 * MINUTE, BEGAN + 40 * MINUTE)]


def test_a_watch_that_saw_nothing_is_undecided() -> None:
    word, _, blind = judged([])

    assert word == UNDECIDED
    assert "no sample was taken" in blind


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"health": {"app": "HTTP 500", "database": ""}}, "health (app) was bad in 1 of 61 samples"),
        ({"latency_ms": [900.0]}, "response time, 95th percentile: 900 ms at 2026-11-23 08:30:00, over 500"),
        ({"errors": {"lines": 60, "seconds": 60.0, "last": ""}}, "error lines: 60 a minute"),
        ({"resources": {"cpu_percent": 99.0, "memory_mb": 90.0, "processes": 1}}, "processor: 99 % of a core"),
        ({"resources": {"cpu_percent": 9.0, "memory_mb": 900.0, "processes": 1}}, "memory: 900 MiB"),
        ({"queries": {"slowest": [{"statement": "x", "calls": 1, "mean_ms": 1200.0}]}}, "slowest statement: 1200 ms"),
    ],
)
def test_one_sample_over_a_limit_is_not_well(changed: dict[str, Any], told: str) -> None:
    taken = samples(range(61))
    taken[30] = samples([30], **changed)[0]

    word, wrong, _ = judged(taken)

    assert word == NOT_WELL
    assert wrong[0].startswith(told)


def test_a_source_that_was_never_seen_leaves_it_undecided() -> None:
    word, _, blind = judged(samples(range(61), errors={"unknown": "the log can't be found"}))

    assert (word, blind) == (UNDECIDED, ["errors was never seen"])


def test_a_gap_has_no_bar_in_any_picture() -> None:
    drawn = page(samples([*range(20), *range(40, 61)]), WINDOW, WINDOW.until, WHAT)

    chart = drawn["charts"][0]
    missing = [label for label, value in zip(chart["labels"], chart["values"], strict=True) if value is None]
    assert len(chart["labels"]) == 24
    assert missing == ["08:20", "08:22", "08:25", "08:27", "08:30", "08:32", "08:35", "08:37"]
    assert any("08:19:00 to 2026-11-23 08:40:00" in note for note in drawn["notes"])


def test_a_picture_of_what_was_never_seen_is_left_out() -> None:
    drawn = page(samples(range(61), resources={"unknown": "no"}), WINDOW, WINDOW.until, WHAT)

    titles = [chart["title"] for chart in drawn["charts"]]
    assert "Processor" not in titles
    assert "Error lines" in titles


def test_the_table_has_each_figures_range() -> None:
    drawn = page(samples(range(61)), WINDOW, WINDOW.until, WHAT)

    assert ["Memory, MiB", "90", "90", "90", "512", "61"] in drawn["table"]["rows"]


def test_a_sample_is_told_on_one_line() -> None:
    (entry,) = samples([5], resources={"unknown": "no"})

    assert line(entry) == (
        "08:05:00, healthy, p95 3 ms, 0 error lines, resources unknown, 3/30 connections, slowest statement 0.4 ms"
    )


def test_a_window_is_read_back_from_the_ledger() -> None:
    assert Window.of(WINDOW.as_data()) == WINDOW


def test_every_measure_takes_a_number_out_of_a_sample() -> None:
    def taken(measure: Measure) -> float:
        return measure.of(HEALTHY[measure.source])

    assert [taken(measure) for measure in WHAT] == [3.0, 0.0, 4.0, 90.0, 3, 0.4]
