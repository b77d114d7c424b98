"""Compares a parsed `environment.toml` with the model: unknown or missing keys, wrong types and words."""

from __future__ import annotations

import dataclasses
import enum
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from runbooks.environment import locate
from runbooks.environment.model import Declaration
from runbooks.environment.problem import EXAMPLE_HINT, Problem, did_you_mean, dotted
from runbooks.environment.value import Value

# pydantic's names for these errors of a dataclass
MISSING = "missing"
UNKNOWN = "unexpected_keyword_argument"
VALUE_WORDS = 'a text, { secret = "NAME" } or { variable = "NAME" }'
WORDS: Mapping[object, str] = {
    Value: VALUE_WORDS,
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text in quotes",
    Path: "a path in quotes",
    tuple[str, ...]: "a list of texts",
}

Table = dict[str, Any]


def declaration(data: Table, places: Mapping[locate.Path, locate.Place]) -> Declaration | tuple[Problem, ...]:
    """The declaration that a parsed file makes, or everything that is wrong with its keys and types.

    Args:
        data: What tomllib made of the file.
        places: Where its keys stand.
    """
    # Imported here: listing the tasks must not cost the import of pydantic.
    from pydantic import TypeAdapter, ValidationError

    # Through JSON, because only then does strict mode make dataclasses, enums and paths of plain values.
    text = json.dumps(data, default=lambda moment: {"moment": str(moment)})
    try:
        return TypeAdapter(Declaration).validate_json(text)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False, include_context=False)
        return _problems(data, places, [(detail["type"], detail["loc"]) for detail in details])


def _problems(
    data: Table, places: Mapping[locate.Path, locate.Place], errors: list[tuple[str, locate.Path]]
) -> tuple[Problem, ...]:
    """One problem per key. No key is called missing beside an unknown one, which may be it."""
    misspelt = {location[:-1] for kind, location in errors if kind == UNKNOWN}
    found: dict[locate.Path, Problem] = {}
    for kind, location in errors:
        if kind == MISSING and location[:-1] in misspelt:
            continue
        problem = _problem(data, places, kind, location)
        found.setdefault(problem.path, problem)
    return tuple(found.values())


def known_keys() -> tuple[str, ...]:
    """Every key that an `environment.toml` may hold, dotted; tables too."""
    return tuple(_keys_of(Declaration, ""))


def _keys_of(table: type[Any], prefix: str) -> Iterator[str]:
    for name, hint in _hints(table).items():
        yield prefix + name
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            yield from _keys_of(hint, f"{prefix}{name}.")


def _problem(data: Table, places: Mapping[locate.Path, locate.Place], kind: str, location: locate.Path) -> Problem:
    path, hint = _resolved(location)
    if path == location and kind == MISSING:
        return _missing(path, hint)
    if path == location and kind == UNKNOWN:
        return _unknown(path, places)
    return _wrong(path, hint, _at(data, path))


def _resolved(location: locate.Path) -> tuple[locate.Path, object]:
    """Our path for pydantic's location, which goes on into the members of a union, and the type there."""
    hint: object = Declaration
    for depth, part in enumerate(location):
        if not (isinstance(hint, type) and dataclasses.is_dataclass(hint)):
            return location[:depth], hint
        hint = _hints(hint).get(str(part))
    return location, hint


def _hints(table: type[Any]) -> dict[str, object]:
    hints = get_type_hints(table)
    return {field.name: _without_none(hints[field.name]) for field in dataclasses.fields(table)}


def _without_none(hint: object) -> object:
    members = get_args(hint)
    if get_origin(hint) in (Union, UnionType) and NoneType in members:
        return next(member for member in members if member is not NoneType)
    return hint


def _missing(path: locate.Path, hint: object) -> Problem:
    """A missing table is told by the first key that it must hold."""
    while isinstance(hint, type) and dataclasses.is_dataclass(hint):
        required = next(
            field.name
            for field in dataclasses.fields(hint)
            if field.default is field.default_factory is dataclasses.MISSING
        )
        path, hint = (*path, required), _hints(hint)[required]
    key = dotted(path)
    return Problem(path, f"missing key '{key}'", mend=f"add '{key}', {_wanted(hint)}; {EXAMPLE_HINT}")


def _unknown(path: locate.Path, places: Mapping[locate.Path, locate.Place]) -> Problem:
    written = dotted(locate.nearest(places, path).written) if path in places else dotted(path)
    near = _near_sibling(path) if written == dotted(path) else ""
    mend = near or did_you_mean(written, known_keys()) or f"remove it; {EXAMPLE_HINT}"
    return Problem(path, f"unknown key '{written}'", mend=mend)


def _near_sibling(path: locate.Path) -> str:
    """A key of the same table with nearly this name; a long table name would make all of them look alike."""
    *table, leaf = (part for part in path if isinstance(part, str))
    prefix = ".".join([*table, ""])
    siblings = [key.removeprefix(prefix) for key in known_keys() if key.rpartition(".")[0] == ".".join(table)]
    return did_you_mean(leaf, siblings, prefix=prefix)


def _wrong(path: locate.Path, hint: object, value: object) -> Problem:
    what = f"'{dotted(path)}' must be {_wanted(hint)}"
    words = _choices(hint)
    if isinstance(value, str) and words:
        return Problem(path, what, found=repr(value[:40]), mend=did_you_mean(value, words) or EXAMPLE_HINT)
    if isinstance(value, dict) and hint == Value:
        wrong = next((name for name in value if name not in ("secret", "variable")), "")
        mend = did_you_mean(wrong, ("secret", "variable")) or EXAMPLE_HINT
        return Problem(path, what, found=f"a table with {', '.join(value) or 'no keys'}", mend=mend)
    return Problem(path, what, found=_described(value))


def _at(data: Table, path: locate.Path) -> object:
    value: Any = data
    for part in path:
        value = value[part]
    return value


def _choices(hint: object) -> list[str]:
    return [str(member.value) for member in hint] if isinstance(hint, type) and issubclass(hint, enum.Enum) else []


def _wanted(hint: object) -> str:
    if words := _choices(hint):
        return "one of " + ", ".join(f"'{word}'" for word in words)
    if get_origin(hint) is Literal:
        return " or ".join(str(choice) for choice in get_args(hint))
    return WORDS.get(hint, "a table")


def _described(value: object) -> str:
    """What a value is. A text is not shown: it may be a password in the wrong place."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value}"
        case str():
            return "a text"
        case list():
            return "a list"
        case dict():
            return "a table"
    return "a date or time"
