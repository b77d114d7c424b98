"""The picture of a watch is Mermaid that GitHub draws, whatever the figures and names are."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbooks.report.xychart import lines
from tests.report.test_markdown import hostile

NUMBER = r"\d+(\.\d+)?"
TEXT = r'"[^"\[\]{};<>\\\n]+"'
GRAMMAR = [
    r"%%\{init: \{.*\}\}%%",
    r"xychart-beta",
    rf"    title {TEXT}",
    rf"    x-axis \[{TEXT}(, {TEXT})*\]",
    rf"    y-axis {TEXT} 0 --> {NUMBER}",
    rf"    bar \[{NUMBER}(, {NUMBER})*\]",
    rf"    line \[{NUMBER}(, {NUMBER})*\]",
]


def chart(**changed: Any) -> dict[str, Any]:
    facts = {"title": "Response time", "unit": "ms", "labels": ["08:00", "09:00"], "values": [12.5, None]}
    return {**facts, "limit": None, **changed}


def assert_is_mermaid(drawn: list[str]) -> None:
    for line, form in zip(drawn, GRAMMAR, strict=False):
        assert re.fullmatch(form, line), line
    assert len(drawn) in (6, 7)
    lengths = {line.count(",") for line in drawn if "[" in line and "init" not in line}
    assert len(lengths) == 1, "as many values as labels"


def test_what_was_not_looked_at_has_no_bar() -> None:
    drawn = list(lines(chart()))

    assert_is_mermaid(drawn)
    assert drawn[5] == "    bar [12.5, 0]"
    assert drawn[4] == '    y-axis "ms" 0 --> 15'


def test_a_limit_that_is_near_is_a_line() -> None:
    assert list(lines(chart(limit=30)))[4:] == ['    y-axis "ms" 0 --> 35', "    bar [12.5, 0]", "    line [30, 30]"]


def test_a_limit_that_is_far_away_would_flatten_the_bars() -> None:
    assert list(lines(chart(limit=500)))[-1] == "    bar [12.5, 0]"


def test_nothing_at_all_is_a_flat_picture() -> None:
    drawn = list(lines(chart(values=[0.0, None], limit=5)))

    assert_is_mermaid(drawn)
    assert drawn[4] == '    y-axis "ms" 0 --> 1'


@given(
    title=hostile,
    unit=hostile,
    rows=st.lists(st.tuples(hostile, st.none() | st.floats(0, 1e9)), min_size=1, max_size=30),
    limit=st.none() | st.floats(0, 1e9),
)
def test_no_text_and_no_figure_breaks_it(title: str, unit: str, rows: list[Any], limit: float | None) -> None:
    labels, values = [label for label, _ in rows], [value for _, value in rows]

    drawn = list(lines(chart(title=title, unit=unit, labels=labels, values=values, limit=limit)))

    for line, form in zip(drawn, GRAMMAR, strict=False):
        assert re.fullmatch(form, line), line


@pytest.mark.parametrize("top", [0.004, 0.04, 7, 99, 1234, 123456])
def test_the_axis_reaches_over_the_highest_bar(top: float) -> None:
    drawn = list(lines(chart(values=[top, 0])))

    assert float(drawn[4].rpartition(" ")[2]) >= top
