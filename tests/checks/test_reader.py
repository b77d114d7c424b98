"""Whether a text came whole and in order."""

from __future__ import annotations

from typing import Any

import pytest

from runbooks.checks.reader import _extent, _incomplete
from runbooks.engine.errors import SystemFault
from tests.checks.test_letters import answer


def lines(*refs: str, text: str = "arma") -> list[dict[str, Any]]:
    return [{"ref": ref, "text": text} for ref in refs]


def test_all_lines_in_order_are_complete() -> None:
    assert _incomplete(lines("1.9", "1.10", "1.11"), "1.9", "1.11", 3) == ""


@pytest.mark.parametrize(
    ("segments", "problem"),
    [
        ([], "no segment"),
        (lines("1.1", "1.2"), "truncated: 2 of 3"),
        (lines("1.1", "1.3", "1.2"), "out of order"),
        (lines("1.2", "1.1", "1.3"), "out of order"),
        (lines("1.1", "1.2", "1.4"), "out of order"),
        (lines("1.1", "1.2", "1.3", text=" "), "without a text: 1.1, 1.2, 1.3"),
    ],
)
def test_what_is_not_is_told(segments: list[dict[str, Any]], problem: str) -> None:
    assert problem in _incomplete(segments, "1.1", "1.3", 3)


def test_the_extent_is_that_of_the_first_book_or_chapter() -> None:
    book = {"book": 1, "first_line": 1, "last_line": 7, "line_count": 7}
    chapter = {"chapter": 1, "first_ref": "1.1.1", "last_ref": "1.1.2", "segment_count": 2}

    assert _extent({"books": [book], "chapters": None}, answer(200)) == ("1.1", "1.7", 7)
    assert _extent({"books": None, "chapters": [chapter]}, answer(200)) == ("1.1.1", "1.1.2", 2)


@pytest.mark.parametrize("structure", [None, {}, {"books": None, "chapters": []}, {"books": [{}]}])
def test_a_structure_that_says_nothing_is_no_answer(structure: Any) -> None:
    with pytest.raises(SystemFault, match="structure"):
        _extent(structure, answer(200))
