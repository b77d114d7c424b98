"""Reads a TOML file that a person wrote; every way in which it can be damaged is one error with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runbooks.engine.errors import InputError
from runbooks.environment import locate
from runbooks.environment.problem import Problem, dotted

POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True)
class TomlFile:
    """One file.

    Attributes:
        path: Where it is.
        shown: How it is named in errors.
        title: What it is, such as "an environment's file".
    """

    path: Path
    shown: str
    title: str

    def text(self) -> str:
        """What it says.

        Raises:
            FileNotFoundError, NotADirectoryError: it is not there.
            InputError: it can't be read, or is not UTF-8.
        """
        try:
            if self.path.exists() and not self.path.is_file():
                raise InputError(f"{self.title} must be a file", where=self.shown, found="something else there")
            content = self.path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise
        except OSError as error:
            mend = f"correct its owner or mode, for example: chmod u+r {self.shown}"
            what = f"{self.title} can't be read"
            raise InputError(what, where=self.shown, found=error.strerror or "", mend=mend) from None
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise InputError(
                f"{self.title} is not UTF-8 text",
                where=f"{self.shown}:{line}",
                found=f"the byte 0x{content[error.start]:02x}",
                mend="save the file as UTF-8",
            ) from None

    def parsed(self, text: str) -> dict[str, Any]:
        """What the text says, as tomllib reads it.

        Raises:
            InputError: it is not TOML.
        """
        try:
            return tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            message = "brackets nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise self._syntax_error(message, text) from None

    def _syntax_error(self, message: str, text: str) -> InputError:
        position = POSITION.search(message)
        line, column = position.groups() if position else (None, None)
        line = line or str(text.rstrip("\n").count("\n") + 1)
        return InputError(
            f"{self.title} is not TOML",
            where=f"{self.shown}:{line}" + (f", column {column}" if column else ""),
            found=POSITION.sub("", message) + ("" if column or not position else ", at the end of the file"),
            mend="correct that line; texts are in double quotes",
        )


def bad_texts(
    value: object, hint: str, may_be_empty: Callable[[locate.Path], bool], path: locate.Path = ()
) -> Iterator[Problem]:
    """Texts that no key can have. An empty path would silently mean the project's folder."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from bad_texts(inner, hint, may_be_empty, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from bad_texts(inner, hint, may_be_empty, (*path, index))
    elif isinstance(value, str) and "\0" in value:
        yield Problem(path, f"'{dotted(path)}' holds a zero byte", mend="remove it")
    elif value == "" and not may_be_empty(path):
        yield Problem(path, f"'{dotted(path)}' is empty", mend=f"write a value, or remove the key; {hint}")
