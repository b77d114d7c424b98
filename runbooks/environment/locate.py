"""The line on which a TOML text first names a key. tomllib gives values without positions.

The text must have been accepted by tomllib: this scanner finds keys, steps over values, judges nothing.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

Path = tuple[str | int, ...]
"""The keys from the root of the document down; a whole number is a place in an array of tables."""

BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
KEY_PART = re.compile(r"""[A-Za-z0-9_-]+|"(?:\\.|[^"\\])*"|'[^']*'""")
DOT = re.compile(r"[ \t]*\.[ \t]*")
EQUALS = re.compile(r"[ \t]*=[ \t]*")
# Longest first: a multi-line string begins like an empty one. Up to two quotes may end its text.
STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"""(?:"{1,2})?|'
    r"'''.*?'''(?:'{1,2})?|"
    r'"(?:\\.|[^"\\\n])*"|'
    r"'[^'\n]*'",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a key is first named.

    Attributes:
        line: Counted from 1.
        written: The whole key that stands there: for ``a.b = 1`` the path of b, also as the place of a.
    """

    line: int
    written: Path


def places(text: str) -> Mapping[Path, Place]:
    """Every key and table of a valid TOML text, including those that only a longer key implies.

    Keys inside an inline table are not listed; they stand on the line of the key that holds it.
    """
    return _Scanner(text).scan()


def nearest(found: Mapping[Path, Place], path: Path) -> Place:
    """The place of a key or, if the text does not name it, of the table around it; the root is line 1."""
    for length in range(len(path), 0, -1):
        if place := found.get(path[:length]):
            return place
    return Place(1, ())


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._table: Path = ()
        self._tables_in: dict[Path, int] = {}
        self._found: dict[Path, Place] = {}

    def scan(self) -> Mapping[Path, Place]:
        self._skip(BLANK)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                self._header()
            else:
                self._pair()
            self._skip(BLANK)
        return self._found

    def _header(self) -> None:
        line = self._line()
        is_array = self._text.startswith("[[", self._at)
        self._at += 2 if is_array else 1
        names = self._key()
        parent = self._resolved(names[:-1])
        path: Path = (*parent, names[-1])
        if is_array:
            index = self._tables_in[path] = self._tables_in.get(path, -1) + 1
            self._note((), path, line)
            path = (*path, index)
        self._note((), path, line)
        self._table = path
        self._at = self._text.index("]", self._at) + (2 if is_array else 1)

    def _pair(self) -> None:
        line = self._line()
        self._note(self._table, (*self._table, *self._key()), line)
        self._skip(EQUALS)
        self._value()

    def _key(self) -> tuple[str, ...]:
        """The parts of a dotted key; steps behind it."""
        parts = [self._key_part()]
        while DOT.match(self._text, self._at):
            self._skip(DOT)
            parts.append(self._key_part())
        return tuple(parts)

    def _key_part(self) -> str:
        while self._text[self._at] in " \t":
            self._at += 1
        match = KEY_PART.match(self._text, self._at)
        assert match, "tomllib accepted this text"
        self._at = match.end()
        part = match.group()
        return str(tomllib.loads(f"key = {part}")["key"]) if part[0] in "\"'" else part

    def _value(self) -> None:
        """Step behind a value: to the end of its line, or further while a string or bracket is open."""
        depth = 0
        while self._at < len(self._text):
            character = self._text[self._at]
            if character in "\"'":
                self._skip(STRING)
            elif character == "#":
                self._skip(BLANK) if depth else self._to_line_end()
            elif character == "\n" and not depth:
                return
            else:
                depth += (character in "[{") - (character in "]}")
                self._at += 1

    def _to_line_end(self) -> None:
        end = self._text.find("\n", self._at)
        self._at = len(self._text) if end < 0 else end

    def _resolved(self, names: Path) -> Path:
        """A header's path, with the last table of each array of tables that it passes through."""
        path: Path = ()
        for name in names:
            path = (*path, name)
            if path in self._tables_in:
                path = (*path, self._tables_in[path])
        return path

    def _note(self, table: Path, path: Path, line: int) -> None:
        for length in range(len(table) + 1, len(path) + 1):
            self._found.setdefault(path[:length], Place(line, path))

    def _line(self) -> int:
        return self._text.count("\n", 0, self._at) + 1

    def _skip(self, pattern: re.Pattern[str]) -> None:
        if match := pattern.match(self._text, self._at):
            self._at = match.end()
