"""The charts of a page as an SVG file: to scale, with the target, and nobody's text can become structure."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from runbooks.report import picture

SVG = "{http://www.w3.org/2000/svg}"


def page(*charts: dict[str, Any], title: str = "Drills over time") -> dict[str, Any]:
    return {"title": title, "notes": [], "table": {"head": [], "rows": []}, "charts": list(charts)}


def chart(values: list[float | None], limit: float | None = None, title: str = "RTO") -> dict[str, Any]:
    labels = [f"2026-01-{day:02}" for day in range(1, len(values) + 1)]
    return {"title": title, "unit": "s", "labels": labels, "values": values, "limit": limit}


def drawn(*charts: dict[str, Any]) -> ElementTree.Element:
    return ElementTree.fromstring(picture.draw(page(*charts)))


def bars(svg: ElementTree.Element) -> list[float]:
    return [float(each.attrib["height"]) for each in svg.iter(f"{SVG}rect") if each.attrib["height"] != "100%"]


def texts(svg: ElementTree.Element) -> list[str]:
    return [each.text or "" for each in svg.iter(f"{SVG}text")]


def test_bars_are_to_scale_and_an_unmeasured_time_has_none() -> None:
    svg = drawn(chart([10.0, None, 20.0]))

    low, high = bars(svg)
    assert abs(high - 2 * low) < 0.2
    assert "–" in texts(svg)
    assert "no target" in texts(svg)


def test_the_target_is_a_line_and_what_misses_it_has_its_colour() -> None:
    svg = drawn(chart([10.0, 30.0], limit=20.0))

    colours = [each.attrib["fill"] for each in svg.iter(f"{SVG}rect")][1:]
    dashed = [each for each in svg.iter(f"{SVG}line") if "stroke-dasharray" in each.attrib]
    assert "target: at most 20 s" in texts(svg)
    assert colours == ["#2f6f9f", "#b3261e"]
    assert len(dashed) == 1


def test_a_far_target_is_told_and_not_drawn() -> None:
    svg = drawn(chart([1.0], limit=3600.0))

    assert "target: at most 3600 s" in texts(svg)
    assert not [each for each in svg.iter(f"{SVG}line") if "stroke-dasharray" in each.attrib]


def test_both_figures_stand_one_below_the_other() -> None:
    svg = drawn(chart([1.0]), chart([2.0], title="RPO"))

    assert (svg.attrib["width"], svg.attrib["height"]) == ("900", "560")
    assert {"RTO", "RPO"} <= set(texts(svg))


def test_no_text_becomes_structure() -> None:
    svg = drawn(chart([1.0], title="</text><script>x()</script>\x00\x1b[31m"))

    assert "</text><script>x()</script>" in texts(svg)
    assert not list(svg.iter(f"{SVG}script"))


def test_a_page_without_any_drill_is_a_whole_picture() -> None:
    assert drawn().attrib["height"] == "60"


def test_the_file_is_named_after_the_page_and_stays_in_its_folder() -> None:
    assert picture.name(page()) == "drills-over-time.svg"
    assert picture.name(page(title="../Über/x")) == "ber-x.svg"
