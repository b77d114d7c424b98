"""Compares a parsed TOML file with its model: unknown or missing keys, wrong types and words."""

from __future__ import annotations

import dataclasses
import enum
import functools
import json
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from runbooks.environment import locate
from runbooks.environment.model import Declaration
from runbooks.environment.problem import EXAMPLE_HINT, Problem, did_you_mean, dotted
from runbooks.environment.value import Value

if TYPE_CHECKING:
    from pydantic import TypeAdapter

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
    date: "a date without quotes, such as 2026-05-31",
    datetime: "a time with its offset, without quotes, such as 2026-05-31T18:00:00Z",
    tuple[Value, ...]: f"a list, each of it {VALUE_WORDS}",
    tuple[int, int]: "a list of two whole numbers",
}

MOMENT = "moment"
"""How a date or time of the file comes to the model: as a table of this one key, so that none passes for a text."""

Table = dict[str, Any]
Model = TypeVar("Model")


def declaration(data: Table, places: Mapping[locate.Path, locate.Place]) -> Declaration | tuple[Problem, ...]:
    """The declaration that a parsed `environment.toml` makes; see `Shape.read`."""
    return Shape(Declaration, EXAMPLE_HINT).read(data, places)


def known_keys() -> tuple[str, ...]:
    """Every key that an `environment.toml` may hold, dotted; tables too."""
    return Shape(Declaration, EXAMPLE_HINT).known_keys()


@dataclasses.dataclass(frozen=True)
class Shape(Generic[Model]):
    """What a kind of file may hold.

    Attributes:
        model: The dataclass that a whole file makes.
        hint: Where a person sees every key.
    """

    model: type[Model]
    hint: str

    def read(self, data: Table, places: Mapping[locate.Path, locate.Place]) -> Model | tuple[Problem, ...]:
        """What a parsed file makes, or everything that is wrong with its keys and types.

        Args:
            data: What tomllib made of the file.
            places: Where its keys stand.
        """
        from pydantic import ValidationError

        # Through JSON, because only then does strict mode make dataclasses, enums and paths of plain values.
        text = json.dumps(data, default=lambda moment: {MOMENT: str(moment)})
        try:
            made: Model = _adapter(self.model).validate_json(text)  # type: ignore[arg-type]  # a class has a hash
            return made
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False, include_context=False)
            return self._problems(data, places, [(detail["type"], detail["loc"]) for detail in details])

    def known_keys(self) -> tuple[str, ...]:
        """Every key that such a file may hold, dotted; tables too."""
        return tuple(_keys_of(self.model, ""))

    def _problems(
        self, data: Table, places: Mapping[locate.Path, locate.Place], errors: list[tuple[str, locate.Path]]
    ) -> tuple[Problem, ...]:
        """One problem per key. No key is called missing beside an unknown one, which may be it."""
        misspelt = {location[:-1] for kind, location in errors if kind == UNKNOWN}
        found: dict[locate.Path, Problem] = {}
        for kind, location in errors:
            if kind == MISSING and location[:-1] in misspelt:
                continue
            problem = self._problem(data, places, kind, location)
            found.setdefault(problem.path, problem)
        return tuple(found.values())

    def _problem(
        self, data: Table, places: Mapping[locate.Path, locate.Place], kind: str, location: locate.Path
    ) -> Problem:
        path, hint = self._resolved(location)
        if path == location and kind == MISSING:
            return self._missing(path, hint)
        if path == location and kind == UNKNOWN:
            return self._unknown(path, places)
        return self._wrong(path, hint, _at(data, path))

    def _resolved(self, location: locate.Path) -> tuple[locate.Path, object]:
        """Our path for pydantic's location, which goes on into the members of a union, and the type there."""
        hint: object = self.model
        for depth, part in enumerate(location):
            if isinstance(part, int) and _rows(hint):
                hint = _rows(hint)
            elif isinstance(hint, type) and dataclasses.is_dataclass(hint):
                hint = _hints(hint).get(str(part))
            else:
                return location[:depth], hint
        return location, hint

    def _missing(self, path: locate.Path, hint: object) -> Problem:
        """A missing table is told by the first key that it must hold."""
        while isinstance(hint, type) and dataclasses.is_dataclass(hint):
            required = next(
                field.name
                for field in dataclasses.fields(hint)
                if field.default is field.default_factory is dataclasses.MISSING
            )
            path, hint = (*path, required), _hints(hint)[required]
        key = dotted(path)
        return Problem(path, f"missing key '{key}'", mend=f"add '{key}', {_wanted(hint)}; {self.hint}")

    def _unknown(self, path: locate.Path, places: Mapping[locate.Path, locate.Place]) -> Problem:
        written = dotted(locate.nearest(places, path).written) if path in places else dotted(path)
        near = self._near_sibling(path) if written == dotted(path) else ""
        mend = near or did_you_mean(written, self.known_keys()) or f"remove it; {self.hint}"
        return Problem(path, f"unknown key '{written}'", mend=mend)

    def _near_sibling(self, path: locate.Path) -> str:
        """A key of the same table with nearly this name; a long table name would make all of them look alike."""
        *table, leaf = (part for part in path if isinstance(part, str))
        prefix = ".".join([*table, ""])
        siblings = [key.removeprefix(prefix) for key in self.known_keys() if key.rpartition(".")[0] == ".".join(table)]
        return did_you_mean(leaf, siblings, prefix=prefix)

    def _wrong(self, path: locate.Path, hint: object, value: object) -> Problem:
        what = f"'{dotted(path)}' must be {_wanted(hint)}"
        words = _choices(hint)
        if isinstance(value, str) and words:
            return Problem(path, what, found=repr(value[:40]), mend=did_you_mean(value, words) or self.hint)
        if isinstance(value, dict) and hint == Value:
            wrong = next((name for name in value if name not in ("secret", "variable")), "")
            mend = did_you_mean(wrong, ("secret", "variable")) or self.hint
            return Problem(path, what, found=f"a table with {', '.join(value) or 'no keys'}", mend=mend)
        return Problem(path, what, found=_described(value), mend=self.hint)


def _keys_of(table: type[Any], prefix: str) -> Iterator[str]:
    for name, hint in _hints(table).items():
        yield prefix + name
        rows = _rows(hint) or hint
        if isinstance(rows, type) and dataclasses.is_dataclass(rows):
            yield from _keys_of(rows, f"{prefix}{name}.")


def _rows(hint: object) -> object:
    """The type of each table of an array of tables, or None."""
    members = get_args(hint)
    return members[0] if get_origin(hint) is tuple and dataclasses.is_dataclass(members[0]) else None


def _hints(table: type[Any]) -> dict[str, object]:
    hints = get_type_hints(table)
    return {field.name: _without_none(hints[field.name]) for field in dataclasses.fields(table)}


def _without_none(hint: object) -> object:
    members = get_args(hint)
    if get_origin(hint) in (Union, UnionType) and NoneType in members:
        return next(member for member in members if member is not NoneType)
    return hint


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
    return "a list of tables" if _rows(hint) else WORDS.get(hint, "a table")


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


@functools.cache
def _adapter(model: type[Any]) -> TypeAdapter[Any]:
    """Kept, because making one of a large model takes longer than reading a file by it."""
    # Imported here: listing the tasks must not cost the import of pydantic.
    from pydantic import TypeAdapter

    return TypeAdapter(model)
