"""The scanner finds the line of every key that tomllib reads."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbooks.environment import locate
from runbooks.environment.locate import Place, nearest, places

# Text of a document, and the line of each key in it.
TABLE: list[tuple[str, dict[locate.Path, int]]] = [
    ("a = 1\nb = 2", {("a",): 1, ("b",): 2}),
    ("# a = 1\n\n  b = 2 # c = 3\r\nd=4\r\n", {("b",): 3, ("d",): 4}),
    (
        "[t]\na = 1\n[ u . v ]\nb = 1",
        {("t",): 1, ("t", "a"): 2, ("u",): 3, ("u", "v"): 3, ("u", "v", "b"): 4},
    ),
    ("a . b = 1\na.c.d = 2", {("a",): 1, ("a", "b"): 1, ("a", "c"): 2, ("a", "c", "d"): 2}),
    ('"a.b" = 1\n\'c d\' = 2\n"\\u0065" = 3', {("a.b",): 1, ("c d",): 2, ("e",): 3}),
    ('a = """\nb = 1\n"""\nc = 2', {("a",): 1, ("c",): 4}),
    ('a = """x\\"""" \nb = 1', {("a",): 1, ("b",): 2}),
    ('a = """x"""""\nb = 1', {("a",): 1, ("b",): 2}),
    ("a = '''\n[b]\n'''''\nc = 2", {("a",): 1, ("c",): 4}),
    (
        "a = \"\"\nb = ''\nc = \"\"\"\"\"\"\nd = ''''''\ne = 1",
        {(key,): line for line, key in enumerate("abcde", 1)},
    ),
    ('a = \'# no comment\' # [comment]\nb = "\\"#"\nc = 1', {("a",): 1, ("b",): 2, ("c",): 3}),
    ("a = [\n  1, # ]\n  'b = 1',\n  [2],\n]\nc = 2", {("a",): 1, ("c",): 6}),
    ("a = { b = 1, c = [1,\n2] }\nd = 1", {("a",): 1, ("d",): 3}),
    ("a = 2001-02-03 04:05:06Z\nb = +1e5", {("a",): 1, ("b",): 2}),
    (
        "[[a]]\nb = 1\n[[a]]\nb = 2\n[a.c]\nd = 1\n[[a.e]]\nf = 1",
        {
            ("a",): 1,
            ("a", 0): 1,
            ("a", 0, "b"): 2,
            ("a", 1): 3,
            ("a", 1, "b"): 4,
            ("a", 1, "c"): 5,
            ("a", 1, "c", "d"): 6,
            ("a", 1, "e"): 7,
            ("a", 1, "e", 0): 7,
            ("a", 1, "e", 0, "f"): 8,
        },
    ),
    ("", {}),
]


@pytest.mark.parametrize(("text", "lines"), TABLE)
def test_every_key_has_its_line(text: str, lines: dict[locate.Path, int]) -> None:
    tomllib.loads(text)
    assert {path: place.line for path, place in places(text).items()} == lines


def test_a_place_tells_the_whole_key_that_is_written_there() -> None:
    found = places("[a.b]\nc.d = 1\n")
    assert found[("a",)] == Place(1, ("a", "b"))
    assert found[("a", "b", "c")] == Place(2, ("a", "b", "c", "d"))


def test_a_key_that_is_not_named_is_placed_at_its_table() -> None:
    found = places("a = 1\n[b]\nc = { d = 1 }\n")
    assert nearest(found, ("b", "missing")).line == 2
    assert nearest(found, ("b", "c", "d")).line == 3
    assert nearest(found, ("nowhere", "at all")).line == 1


NAMES = st.sampled_from(["key", "'quoted key'", '"dotted.key"', "1", "- -".replace(" ", "")])
VALUES = st.sampled_from(
    [
        "1",
        '"# no comment"',
        "'[no.table]'",
        '"""\nkey = 1\n"""',
        "'''\n\n[table]'''",
        "[\n  1, # one ]\n  '''\n''',\n]",
        "{ key = 1, b = [[1],\n [2]] }",
        '"\\" = \\\\"',
        "2001-02-03T04:05:06",
        '["""a""""", "b"]',
    ]
)
PADDING = st.sampled_from(["", "\n", "# comment = 1\n", "  \t\n\n# [c]\n"])
PAIRS = st.lists(st.tuples(PADDING, st.lists(NAMES, max_size=2), VALUES), max_size=4)
DOCUMENTS = st.lists(st.tuples(PADDING, st.sampled_from(["[{}]", "[ {} ]", "[[{}]]"]), NAMES, PAIRS), max_size=4)


@given(DOCUMENTS, st.sampled_from(["\n", "\r\n"]))
def test_in_any_document_keys_stand_where_they_were_written(
    document: list[tuple[str, str, str, list[tuple[str, list[str], str]]]], line_end: str
) -> None:
    text = ""
    expected: dict[locate.Path, int] = {}
    for table_number, (padding, header, name, pairs) in enumerate(document):
        text += padding
        path: locate.Path = (f"t{table_number}", _plain(name))
        expected[path] = text.count("\n") + 1
        text += header.format(f"t{table_number}.{name}") + "\n"
        if header.startswith("[["):
            path = (*path, 0)
        for pair_number, (before, names, value) in enumerate(pairs):
            text += before
            own: locate.Path = (*path, f"k{pair_number}", *map(_plain, names))
            expected[own] = text.count("\n") + 1
            text += " . ".join([f"k{pair_number}", *names]) + f" = {value} # end\n"
    text = text.replace("\n", line_end)
    tomllib.loads(text)
    found = places(text)
    assert {path: found[path].line for path in expected} == expected


def _plain(name: str) -> str:
    return name.strip("'\"")
