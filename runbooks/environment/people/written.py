"""All that the people of an environment wrote down, read at once so that a slip is said before anything is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from runbooks.environment import locate
from runbooks.environment.model import Environment
from runbooks.environment.people import announcements, costs, oncall
from runbooks.environment.people.announcements import Announcements
from runbooks.environment.people.costs import Costs
from runbooks.environment.people.oncall import OnCall
from runbooks.environment.people.statements import (
    Attestations,
    Items,
    Waivers,
    attestation_problems,
    waiver_problems,
)
from runbooks.environment.problem import Problem, as_error
from runbooks.environment.shape import Shape
from runbooks.environment.toml_file import TomlFile, bad_texts

ATTESTATIONS, WAIVERS = "attestations.toml", "waivers.toml"
COSTS, ON_CALL, ANNOUNCEMENTS = "costs.toml", "oncall.toml", "announcements.toml"

Model = TypeVar("Model")


@dataclass(frozen=True, kw_only=True)
class Written:
    """What the files say; None where there is no such file.

    Attributes:
        environment: Whose they are.
        folder: Where they are.
        shown: How that folder is named to people.
    """

    environment: str = ""
    folder: Path = Path()
    shown: str = ""
    attestations: Attestations = field(default_factory=Attestations)
    waivers: Waivers = field(default_factory=Waivers)
    costs: Costs | None = None
    on_call: OnCall | None = None
    announcements: Announcements | None = None


def read_all(environment: Environment, items: Items, now: datetime) -> Written:
    """Read every file.

    Raises:
        InputError: one is damaged; names the file, the line and the key.
    """
    folder, shown = folder_of(environment)
    return Written(
        environment=environment.name,
        folder=folder,
        shown=shown,
        attestations=_or(Attestations(), read_attestations(folder, shown, items, now)),
        waivers=_or(Waivers(), read_waivers(folder, shown, items, now)),
        costs=_read(folder, shown, COSTS, Costs, lambda file: costs.problems(file, now)),
        on_call=_read(folder, shown, ON_CALL, OnCall, oncall.problems),
        announcements=read_announcements(folder, shown),
    )


def folder_of(environment: Environment) -> tuple[Path, str]:
    """Where the environment's people write, and how that is named to them."""
    folder = environment.people.folder
    assert folder is not None, "loading fills it in"
    resolved, project = folder.resolve(), environment.project.resolve()
    return folder, str(resolved.relative_to(project) if resolved.is_relative_to(project) else resolved)


def read_attestations(folder: Path, shown: str, items: Items, now: datetime) -> Attestations | None:
    """Read `ATTESTATIONS`; see `read_all`."""
    return _read(folder, shown, ATTESTATIONS, Attestations, lambda file: attestation_problems(file, items, now))


def read_waivers(folder: Path, shown: str, items: Items, now: datetime) -> Waivers | None:
    """Read `WAIVERS`; see `read_all`."""
    return _read(folder, shown, WAIVERS, Waivers, lambda file: waiver_problems(file, items, now))


def read_announcements(folder: Path, shown: str) -> Announcements | None:
    """Read `ANNOUNCEMENTS`; see `read_all`."""
    return _read(folder, shown, ANNOUNCEMENTS, Announcements, announcements.problems)


def parse(text: str, file: TomlFile, model: type[Model], problems: Callable[[Model], Iterable[Problem]]) -> Model:
    """What a file's text makes.

    Raises:
        InputError: it is damaged, or contradicts itself.
    """
    hint = f"inventory/example/{file.path.name} shows every key"
    data = file.parsed(text)
    places = locate.places(text)
    if found := list(bad_texts(data, hint, lambda path: path[-1:] in (("evidence",), ("contact",)))):
        raise as_error(found, file.shown, places)
    made = Shape(model, hint).read(data, places)
    if isinstance(made, tuple):
        raise as_error(made, file.shown, places)
    if found := list(problems(made)):
        raise as_error(found, file.shown, places)
    return made


def people_file(folder: Path, shown: str, name: str) -> TomlFile:
    """One of the files."""
    return TomlFile(folder / name, f"{shown}/{name}", "a file of the environment's people")


def _read(
    folder: Path, shown: str, name: str, model: type[Model], problems: Callable[[Model], Iterable[Problem]]
) -> Model | None:
    file = people_file(folder, shown, name)
    try:
        text = file.text()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return parse(text, file, model, problems)


def _or(empty: Model, read: Model | None) -> Model:
    return empty if read is None else read
