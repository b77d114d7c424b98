"""Changes values in the text of a dotenv file: comments, order and everything else stay as they are."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping

from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream

from runbooks.engine.errors import InputError
from runbooks.engine.secret import Secret
from runbooks.systems.secrets.dotenv import parse

_HEAD = re.compile(r"\s*(?:export[^\S\r\n]+)?(?:'[^']+'|[^=#\s]+)[^\S\r\n]*=[^\S\r\n]*")
_QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""", re.DOTALL)
_UNQUOTED = re.compile(r"(?!#)[^\r\n]*?(?=\s+#|\s*$|\s*[\r\n])")
"""As python-dotenv's parser tells a line's parts; it gives them no names of their own."""

_LOST: Mapping[str, str] = {
    "\0": "a zero byte, which no environment variable can hold",
    "\r": "a carriage return, which is read as a new line",
    "${": "'${…}', which programs that read such a file replace by another variable",
}


def replaced(text: str, values: Mapping[str, str], origin: str) -> str:
    """The text with these names' values changed. What it gives has been read back, and gives exactly the values.

    Args:
        text: A dotenv file's.
        values: By the names that are there.
        origin: What to call the file in a message.

    Raises:
        InputError: a name is not there, or twice, or a value can't be written so that it reads back exactly; no value
            is shown.
    """
    for name, value in values.items():
        text = _with(text, name, value, origin)
    return text


def _with(text: str, name: str, value: str, origin: str) -> str:
    bindings = list(parse_stream(io.StringIO(text)))
    place = _place(bindings, name, origin)
    pieces = [binding.original.string for binding in bindings]
    head, tail = _around(pieces[place])
    wanted = parse(text, origin) | {name: Secret(name, value)}
    if problem := _problem(value):
        raise _not_carried(name, origin, problem)
    for written in _ways(value):
        candidate = "".join([*pieces[:place], head, written, tail, *pieces[place + 1 :]])
        if _reads_as(candidate, wanted, name, origin):
            return candidate
    raise _not_carried(name, origin, "characters that its quotes can't hold together")


def _place(bindings: list[Binding], name: str, origin: str) -> int:
    places = [place for place, binding in enumerate(bindings) if binding.key == name]
    if not places:
        raise InputError(f"{name} is not set", where=origin, mend=f"add {name} there")
    if len(places) > 1:
        lines = ", ".join(str(bindings[place].original.line) for place in places)
        raise InputError(
            f"{name} is set more than once, so a value would stay behind",
            where=origin,
            found=f"it begins after lines {lines}",
            mend="remove all but the last, which is the one that counts",
        )
    return places[0]


def _around(line: str) -> tuple[str, str]:
    """What stands before and after the value."""
    head = _HEAD.match(line)
    assert head, "the parser found a name and a value in it"
    rest = line[head.end() :]
    value = _QUOTED.match(rest) or _UNQUOTED.match(rest)
    return head[0], rest[value.end() if value else 0 :]


def _ways(value: str) -> Iterator[str]:
    escaped = value.replace("\\", "\\\\")
    yield "'" + escaped.replace("'", "\\'") + "'"
    yield '"' + escaped.replace('"', '\\"') + '"'
    yield value


def _problem(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        return "bytes that are not UTF-8"
    return next((problem for part, problem in _LOST.items() if part in value), "")


def _reads_as(text: str, wanted: Mapping[str, Secret], name: str, origin: str) -> bool:
    """Whether we, and a program that leaves it to python-dotenv with its defaults, read what is wanted."""
    try:
        ours = parse(text, origin)
    except InputError:
        return False
    theirs = dotenv_values(stream=io.StringIO(text, newline=None))
    return ours == wanted and theirs.get(name) == wanted[name].reveal()


def _not_carried(name: str, origin: str, problem: str) -> InputError:
    return InputError(
        f"a dotenv file can't keep the new value of {name} exactly",
        where=origin,
        found=f"it holds {problem}",
        mend='give another value, or keep it elsewhere: [secret_store] kind = "secrets-manager"',
    )
