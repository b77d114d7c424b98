"""Secrets are found in what hides them, and what is allowed stays allowed until its line changes."""

from __future__ import annotations

import base64
import urllib.parse

import pytest

from runbooks.checks.api_keys_code import line_mark
from runbooks.checks.source_contents import Content, line_of, shapes

KEY = "p/8+aXQzT0v=_-Lk2m9W0m0wq0Q7k1l8"


@pytest.mark.parametrize(
    "written",
    [
        KEY,
        f'KEY = "{KEY}"',
        base64.b64encode(KEY.encode()).decode(),
        base64.b64encode(f"prefix:{KEY}".encode()).decode(),
        urllib.parse.quote(KEY, safe=""),
        KEY.encode().hex(),
        KEY[::-1],
    ],
)
def test_a_value_is_found_however_it_is_written(written: str) -> None:
    assert any(shape in f"first\n{written}\n".encode() for shape in shapes(KEY))


def test_another_value_is_not() -> None:
    assert not any(shape in KEY.replace("T0v", "T0w").encode() for shape in shapes(KEY))


def test_a_place_names_the_commit_or_the_checkout() -> None:
    assert Content("app/a.py", "", b"").place(3) == "app/a.py:3 of the checkout"
    assert Content("app/a.py", "0123456789abcdef", b"").place(3) == "app/a.py:3 in commit 0123456789ab"


def test_lines_count_from_one() -> None:
    assert [line_of(b"ab\ncd", at) for at in (0, 2, 3)] == [1, 1, 2]


def test_an_allowance_holds_where_the_line_moves_and_not_where_it_changes() -> None:
    mark = line_mark(b"a\n  key = 1\n", 2)

    assert line_mark(b"key = 1", 1) == mark
    assert line_mark(b"key = 2", 1) != mark
    assert len(mark) == 16
