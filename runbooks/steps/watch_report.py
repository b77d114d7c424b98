"""What a watch came to: its figures over time, its gaps, and whether anything went over its limit. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from runbooks.checks import sampling
from runbooks.engine.percentile import percentile
from runbooks.environment.watching import Watch
from runbooks.steps.watch import Window
from runbooks.systems.ledger.ledger import Entry

BARS = 24
"""Of a picture at most: more can't be read."""

LATE = 2.5
"""A pause this many times as long as that between two samples is a gap."""

WELL, NOT_WELL, UNDECIDED = "WELL", "NOT WELL", "UNDECIDED"


@dataclass(frozen=True)
class Measure:
    """A figure that is drawn and judged: ``of`` takes it out of one source of a sample."""

    source: str
    title: str
    unit: str
    of: Callable[[Any], float]
    limit: float | None = None


def measures(limits: Watch, workers: int, budget_ms: float) -> tuple[Measure, ...]:
    """What is drawn, each with its limit."""
    cpu, memory = limits.cpu_percent * workers, limits.memory_mb * workers

    def slowest(data: Any) -> float:
        return float(data["slowest"][0]["mean_ms"]) if data["slowest"] else 0.0

    return (
        Measure("latency_ms", "Response time, 95th percentile", "ms", lambda data: percentile(data, 95), budget_ms),
        Measure("errors", "Error lines", "a minute", sampling.per_minute, limits.error_lines_per_minute),
        Measure("resources", "Processor", "% of a core", lambda data: data["cpu_percent"], cpu),
        Measure("resources", "Memory", "MiB", lambda data: data["memory_mb"], memory),
        Measure("connections", "Database connections", "open", lambda data: data["used"]),
        Measure("queries", "Slowest statement", "ms on average", slowest, limits.slow_statement_ms),
    )


def gaps(samples: Sequence[Entry], window: Window, end: datetime) -> list[tuple[datetime, datetime]]:
    """When nothing was looked at although a sample was due."""
    longest = window.every * LATE + timedelta(seconds=30)
    times = [window.began, *(entry.at for entry in samples), min(end, window.until)]
    return [(before, after) for before, after in pairwise(times) if after - before > longest]


def page(samples: Sequence[Entry], window: Window, end: datetime, what: Sequence[Measure]) -> dict[str, Any]:
    """The part of the run's log that shows the watch; `report.page` renders it."""
    missed = gaps(samples, window, end)
    width = max((min(end, window.until) - window.began) / BARS, window.every)
    places = [window.began + width * number for number in range(BARS) if window.began + width * number < end]
    charts = [_chart(samples, each, places, width) for each in what]
    span = (
        f"{len(samples)} samples from {_moment(window.began)} to {_moment(min(end, window.until))},"
        f" one every {window.every.total_seconds():g} s."
    )
    return {
        "title": "What was seen",
        "notes": [
            span,
            *(f"Gap: nothing was looked at from {_moment(begin)} to {_moment(stop)}." for begin, stop in missed),
            "A bar is the highest figure of its time; where there is no bar, nothing was looked at. Times are UTC.",
        ],
        "charts": [chart for chart in charts if any(value is not None for value in chart["values"])],
        "table": {
            "head": ["Figure", "Lowest", "Median", "Highest", "Limit", "Samples"],
            "rows": [row for each in what if (row := _row(samples, each))],
        },
    }


def judge(
    samples: Sequence[Entry], window: Window, end: datetime, what: Sequence[Measure]
) -> tuple[str, list[str], list[str]]:
    """The verdict, what was over a limit or unhealthy, and what was not looked at."""
    wrong = [*_unhealthy(samples), *_over(samples, what)]
    missed = gaps(samples, window, end)
    blind = [f"{len(missed)} gaps, the longest {_minutes(max(b - a for a, b in missed))}"] if missed else []
    sources = {each.source for each in what} | {"health"}
    blind += [f"{name} was never seen" for name in sorted(sources) if samples and not _seen(samples, name)]
    blind += [] if samples else ["no sample was taken"]
    return NOT_WELL if wrong else UNDECIDED if blind else WELL, wrong, blind


def _unhealthy(samples: Sequence[Entry]) -> Iterator[str]:
    for name in ("app", "database"):
        bad = [entry for entry in _seen(samples, "health") if entry.data["health"].get(name)]
        if bad:
            said = bad[-1].data["health"][name]
            yield f"health ({name}) was bad in {len(bad)} of {len(samples)} samples, last {_moment(bad[-1].at)}: {said}"


def _over(samples: Sequence[Entry], what: Sequence[Measure]) -> Iterator[str]:
    for each in what:
        if each.limit is None:
            continue
        over = [(value, at) for value, at in _values(samples, each) if value > each.limit]
        if over:
            highest, at = max(over)
            yield (
                f"{each.title.lower()}: {highest:.4g} {each.unit} at {_moment(at)}, over {each.limit:g}"
                f" in {len(over)} samples"
            )


def _chart(samples: Sequence[Entry], what: Measure, places: Sequence[datetime], width: timedelta) -> dict[str, Any]:
    values = _values(samples, what)
    heights: list[float | None] = []
    for begin in places:
        inside = [value for value, at in values if begin <= at < begin + width]
        heights.append(round(max(inside), 2) if inside else None)
    return {"title": what.title, "unit": what.unit, "labels": _labels(places), "values": heights, "limit": what.limit}


def _labels(places: Sequence[datetime]) -> list[str]:
    """Times as short as they are still told apart."""
    days = len({place.date() for place in places}) > 1
    seconds = len({f"{place:%d %H:%M}" for place in places}) < len(places)
    return [f"{place:%d. %H:%M}" if days else f"{place:%H:%M:%S}" if seconds else f"{place:%H:%M}" for place in places]


def _row(samples: Sequence[Entry], what: Measure) -> list[str]:
    values = [value for value, _ in _values(samples, what)]
    if not values:
        return []
    limit = f"{what.limit:g}" if what.limit is not None else ""
    figures = [f"{value:.4g}" for value in (min(values), percentile(values, 50), max(values))]
    return [f"{what.title}, {what.unit}", *figures, limit, str(len(values))]


def _seen(samples: Sequence[Entry], source: str) -> list[Entry]:
    return [entry for entry in samples if source in entry.data and sampling.known(entry.data[source])]


def _values(samples: Sequence[Entry], what: Measure) -> list[tuple[float, datetime]]:
    return [(float(what.of(entry.data[what.source])), entry.at) for entry in _seen(samples, what.source)]


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _minutes(span: timedelta) -> str:
    return f"{span.total_seconds() / 60:.0f} min"
