"""Every numbered case of `snapshot_cases.toml` is tested, or README.md says why not."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import CHECKOUT

TESTS = CHECKOUT / "tests"
CASES = tomllib.loads((TESTS / "snapshot_cases.toml").read_text())
ALL = [int(number) for group in CASES.values() for number in group]
_ROW = re.compile(r"^\| (\d[\d, –]*) \| (\S.*) \|$", re.MULTILINE)


def carried(source: str) -> Iterator[int]:
    """The numbers that a file's tests carry."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.case":
            yield from (ast.literal_eval(number) for number in node.args)


def excused(text: str) -> dict[int, str]:
    """Number → the reason for which no test covers it, of the README's table."""
    table = text.partition("<!-- cases without a test -->")[2].partition("<!-- end -->")[0]
    return {number: reason for numbers, reason in _ROW.findall(table) for number in spread(numbers)}


def spread(numbers: str) -> Iterator[int]:
    """All of ``1, 3–5``."""
    for part in numbers.split(","):
        first, _, last = part.strip().partition("–")
        yield from range(int(first), int(last or first) + 1)


def with_a_test() -> set[int]:
    return {number for path in TESTS.rglob("test_*.py") for number in carried(path.read_text())}


def test_every_case_is_tested_or_excused() -> None:
    reasons = excused(Path(CHECKOUT / "README.md").read_text())

    assert sorted(ALL) == list(range(1, 101))
    assert set(ALL) - with_a_test() - set(reasons) == set(), "carried by no test, and not in README.md"


def test_what_is_tested_is_not_excused() -> None:
    assert with_a_test() & set(excused((CHECKOUT / "README.md").read_text())) == set()


def test_numbers_and_reasons_are_read_where_they_stand() -> None:
    source = "@pytest.mark.case(1, 2)\ndef test_a(): pass\nX = [param(1, marks=pytest.mark.case(7))]\n# case(9)"
    table = "| 5 | x |\n<!-- cases without a test -->\n| cases | why |\n| --- | --- |\n| 3, 8–10 | why |\n<!-- end -->"

    assert set(carried(source)) == {1, 2, 7}
    assert excused(table) == dict.fromkeys((3, 8, 9, 10), "why")
