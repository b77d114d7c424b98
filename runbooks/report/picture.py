"""The charts of a page as one SVG file, for whoever reads the log where Mermaid is not drawn. Pure."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import runbooks
from runbooks.report.text import one_line
from runbooks.report.xychart import number, scale

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATE = "page.svg.j2"
WIDTH, PANEL = 900, 280
"""Pixels: of the picture, and the height of one chart in it."""

EMPTY = 60
"""The height of a picture that has no chart, and says so."""

LEFT, RIGHT, TOP, BOTTOM = 70, 880, 50, 210
"""Where a chart's bars stand within its panel."""

MARKS = 4
"""Of an axis, above its zero."""


def name(page: Mapping[str, Any]) -> str:
    """The file of a page's picture, beside the log."""
    return f"{re.sub(r'[^a-z0-9]+', '-', str(page['title']).lower()).strip('-') or 'page'}.svg"


def draw(page: Mapping[str, Any]) -> str:
    """A page's charts, one below the other, as SVG without scripts or anything to be fetched.

    Args:
        page: ``title`` and ``charts``, each as `xychart.lines` takes it.
    """
    panels = [_panel(place, chart) for place, chart in enumerate(page["charts"])]
    size = {"width": WIDTH, "height": max(PANEL * len(panels), EMPTY), "left": LEFT, "right": RIGHT}
    return _template().render(title=one_line(page["title"]), panels=panels, **size)


def _panel(place: int, chart: Mapping[str, Any]) -> dict[str, Any]:
    top, drawn = scale(chart)
    origin = PANEL * place
    unit, limit = one_line(chart["unit"]), chart.get("limit")

    def height(value: float) -> float:
        return round(origin + BOTTOM - (BOTTOM - TOP) * value / top, 1)

    return {
        "heading": origin + 24,
        "title": one_line(chart["title"]),
        "target": f"target: at most {number(float(limit))} {unit}" if limit is not None else "no target",
        "limit": height(drawn) if drawn is not None else None,
        "marks": [(height(top * step / MARKS), f"{number(top * step / MARKS)} {unit}") for step in range(MARKS + 1)],
        "base": origin + BOTTOM,
        "bars": list(_bars(chart, height)),
    }


def _bars(chart: Mapping[str, Any], height: Any) -> Iterator[dict[str, Any]]:
    each = (RIGHT - LEFT) / max(len(chart["values"]), 1)
    width = min(each * 0.6, 60.0)
    limit = chart.get("limit")
    for place, (label, value) in enumerate(zip(chart["labels"], chart["values"], strict=True)):
        middle = LEFT + each * (place + 0.5)
        yield {
            "x": round(middle - width / 2, 1),
            "middle": round(middle, 1),
            "width": round(width, 1),
            "y": height(float(value)) if value is not None else None,  # nothing is known of that time
            "value": number(float(value)) if value is not None else "–",
            "missed": value is not None and limit is not None and value > limit,
            "label": one_line(label, 20),
        }


@functools.cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folder = Path(runbooks.__file__).parent.parent / "templates"
    return Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    ).get_template(TEMPLATE)
