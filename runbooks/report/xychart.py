"""A figure over time as a Mermaid bar chart, which GitHub draws where the log is read."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from runbooks.report.text import one_line

HEADROOM = 1.15
CLOSE = 4.0
"""A limit is drawn, as a line, where it is at most so many times as high as the highest bar."""

_UNSAFE = re.compile(r"[^\w .,:()/%–-]")


def lines(chart: Mapping[str, Any]) -> Iterator[str]:
    """Mermaid's source. A value of None has no bar: nothing is known of that time.

    Args:
        chart: ``title``, ``unit``, ``labels``, ``values`` (a number or None for each label), ``limit`` or None.
    """
    values = [float(value) if value is not None else 0.0 for value in chart["values"]]
    top, limit = scale(chart)
    yield '%%{init: {"xyChart": {"width": 900, "height": 260}}}%%'
    yield "xychart-beta"
    yield f"    title {_quoted(chart['title'])}"
    yield f"    x-axis [{', '.join(_quoted(label) for label in chart['labels'])}]"
    yield f"    y-axis {_quoted(chart['unit'])} 0 --> {number(top)}"
    yield f"    bar [{', '.join(map(number, values))}]"
    if limit is not None:
        yield f"    line [{', '.join([number(limit)] * len(values))}]"


def scale(chart: Mapping[str, Any]) -> tuple[float, float | None]:
    """Where the axis ends, and the limit if it is drawn: a far one would flatten the bars."""
    highest = max([*(float(value) for value in chart["values"] if value is not None), 0.0])
    limit = chart.get("limit")
    drawn = float(limit) if limit is not None and limit <= CLOSE * highest else None
    return _rounded(max(highest, drawn or 0.0) * HEADROOM), drawn


def _quoted(text: object) -> str:
    """A text that can't end its quotes."""
    return f'"{_UNSAFE.sub(" ", one_line(text, 60)) or "–"}"'


def number(value: float) -> str:
    """Two decimals at most."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _rounded(top: float) -> float:
    """Up to two figures, so that the axis is marked at plain numbers; never nothing."""
    if not top > 0:
        return 1.0
    step = 10.0 ** (math.floor(math.log10(max(top, 0.01))) - 1)
    return max(math.ceil(top / step) * step, 0.01)
