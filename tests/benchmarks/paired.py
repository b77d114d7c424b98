"""Ratios of two measurements, taken round by round, so that a busy moment of the machine hits both sides alike."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar("Item")

Walls = Mapping[str, Sequence[float | None]]
"""Seconds of each case, by round; None in rounds that a slow case sat out."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One case in a table.

    Attributes:
        against: The case that it is divided by.
        at_most: The largest ratio that meets the target.
        at_least: The smallest ratio that meets the target.
        units: How many checks, requests or runs one measurement is of; ratios are per unit.
    """

    case: str
    against: str | None = None
    at_most: float | None = None
    at_least: float | None = None
    units: int = 1

    def target(self) -> str:
        if self.at_most is not None:
            return f"≤ {self.at_most:g}"
        return "" if self.at_least is None else f"≥ {self.at_least:g}"

    def met(self, ratio: float) -> str:
        if self.at_most is not None:
            return "yes" if ratio <= self.at_most else "NO"
        if self.at_least is not None:
            return "yes" if ratio >= self.at_least else "NO"
        return ""


def rotated(items: Sequence[Item], by: int) -> list[Item]:
    """A B C, then B C A, then C A B: nobody always runs first."""
    by %= len(items)
    return [*items[by:], *items[:by]]


def median(values: Sequence[float | None]) -> float:
    """The median of those that were taken."""
    return statistics.median(value for value in values if value is not None)


def ratio(upper: Sequence[float | None], lower: Sequence[float | None]) -> float:
    """The median of the ratios of the rounds in which both were taken."""
    return statistics.median(
        above / below for above, below in zip(upper, lower, strict=True) if above is not None and below is not None
    )


def table(title: str, rows: Sequence[Row], walls: Walls, measured: str = "median wall") -> str:
    """A Markdown table of the rows whose case was measured."""
    lines = [
        f"**{title}**",
        "",
        f"| case | {measured} | × what | median paired ratio | target | met? |",
        "|---|---|---|---|---|---|",
    ]
    units = {row.case: row.units for row in rows}
    for row in rows:
        if row.case not in walls:
            continue
        wall = seconds(median(walls[row.case]) / row.units) + (f" a unit ({row.units})" if row.units > 1 else "")
        cells = [row.case, wall, "", "", "", ""]
        if row.against in walls:
            assert row.against is not None, "it was measured"
            found = ratio(walls[row.case], walls[row.against]) * units[row.against] / row.units
            cells = [row.case, wall, row.against, f"{found:.2f}", row.target(), row.met(found)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def seconds(value: float) -> str:
    """Three digits with a fitting unit."""
    return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"
