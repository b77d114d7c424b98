"""Loads an environment: file, TOML, keys and types, defaults, rules."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runbooks.engine.errors import InputError
from runbooks.environment import discover, locate, rules, shape
from runbooks.environment.model import FILE_NAME, Declaration, Environment, Plan, PlatformKind
from runbooks.environment.problem import EXAMPLE_HINT, Problem, as_error, dotted

POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
MAY_BE_EMPTY = {("description",), ("store", "prefix"), ("variables", "prefix"), ("secrets", "prefix")}
RAILWAY_COMMIT = "RAILWAY_GIT_COMMIT_SHA"


def load(inventory: Path, name: str) -> Environment:
    """The environment of this name, checked.

    Args:
        inventory: The folder that holds one folder per environment. Its parent is the project's folder.
        name: One of `discover.names`.

    Raises:
        InputError: its file is missing, damaged or contradicts itself. Names the file, the line and the key.
    """
    inventory = inventory.absolute()
    known = discover.names(inventory)
    file = inventory / name / FILE_NAME
    shown = f"{inventory.name}/{name}/{FILE_NAME}"
    text = _read(file, shown, known)
    data = _parsed(text, shown)
    places = locate.places(text)
    if problems := list(_bad_texts(data, ())):
        raise as_error(problems, shown, places)
    declared = shape.declaration(data, places)
    if isinstance(declared, tuple):
        raise as_error(declared, shown, places)
    environment = _completed(declared, inventory, name, known)
    if problems := list(rules.problems(environment, known)):
        raise as_error(problems, shown, places)
    return environment


def _read(file: Path, shown: str, known: tuple[str, ...]) -> str:
    name = file.parent.name
    try:
        if file.exists() and not file.is_file():
            raise InputError("an environment's file must be a file", where=shown, found="something else there")
        content = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        if name not in known:
            raise discover.missing(name, known, shown) from None
        mend = f"cp inventory/{discover.EXAMPLE}/{FILE_NAME} {shown} and fill it in"
        found = f"environments: {', '.join(other for other in known if other != discover.EXAMPLE)}"
        what = f"the environment '{name}' has no {FILE_NAME}"
        raise InputError(what, where=shown, found=found, mend=mend) from None
    except OSError as error:
        what = "an environment's file can't be read"
        mend = "correct its owner or mode, for example: chmod u+r " + shown
        raise InputError(what, where=shown, found=error.strerror or "", mend=mend) from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            "an environment's file is not UTF-8 text",
            where=f"{shown}:{line}",
            found=f"the byte 0x{content[error.start]:02x}",
            mend="save the file as UTF-8",
        ) from None


def _parsed(text: str, shown: str) -> dict[str, Any]:
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        message = "brackets nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise _syntax_error(message, text, shown) from None
    if not data:
        mend = f"cp inventory/{discover.EXAMPLE}/{FILE_NAME} {shown} and fill it in"
        raise InputError("an environment's file is empty", where=f"{shown}:1", found="no key", mend=mend)
    return data


def _syntax_error(message: str, text: str, shown: str) -> InputError:
    position = POSITION.search(message)
    line, column = position.groups() if position else (None, None)
    line = line or str(text.rstrip("\n").count("\n") + 1)
    return InputError(
        "an environment's file is not TOML",
        where=f"{shown}:{line}" + (f", column {column}" if column else ""),
        found=POSITION.sub("", message) + ("" if column or not position else ", at the end of the file"),
        mend="correct that line; texts are in double quotes",
    )


def _bad_texts(value: object, path: locate.Path) -> Iterator[Problem]:
    """Texts that no key can have. An empty path would silently mean the project's folder."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _bad_texts(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _bad_texts(inner, (*path, index))
    elif isinstance(value, str) and "\0" in value:
        yield Problem(path, f"'{dotted(path)}' holds a zero byte", mend="remove it")
    elif value == "" and path not in MAY_BE_EMPTY:
        yield Problem(path, f"'{dotted(path)}' is empty", mend=f"write a value, or remove the key; {EXAMPLE_HINT}")


def _completed(declared: Declaration, inventory: Path, name: str, known: tuple[str, ...]) -> Environment:
    """Fill in what depends on other keys, and make every path absolute."""
    folder, project = inventory / name, inventory.parent
    application, database, release = declared.application, declared.database, declared.release
    platform, fingerprints = declared.platform, declared.fingerprints
    is_railway = platform.kind is PlatformKind.RAILWAY
    commit_variable = release.commit_variable or (RAILWAY_COMMIT if is_railway else None)
    peers = fingerprints.peers
    if peers is None:
        peers = tuple(_default_peers(inventory, name, known, sandbox=declared.sandbox))
    tables = {field.name: getattr(declared, field.name) for field in dataclasses.fields(declared)}
    tables |= {
        "application": dataclasses.replace(application, ca_file=_under(folder, application.ca_file)),
        "database": dataclasses.replace(database, ca_file=_under(folder, database.ca_file)),
        "release": dataclasses.replace(
            release,
            source=_under(project, release.source),
            python=_under(project, release.python),
            commit_variable=commit_variable,
        ),
        "platform": dataclasses.replace(
            platform, plan=platform.plan or (Plan.RAILWAY if is_railway else Plan.DEDICATED)
        ),
        "store": dataclasses.replace(
            declared.store,
            folder=_under(project, declared.store.folder)
            or (None if declared.store.bucket else project / "var" / "store" / name),
            ca_file=_under(folder, declared.store.ca_file),
        ),
        "fingerprints": dataclasses.replace(fingerprints, peers=peers),
    }
    return Environment(**tables, name=name, folder=folder, project=project)


def _under(folder: Path, path: Path | None) -> Path | None:
    return None if path is None else folder / path


def _default_peers(inventory: Path, name: str, known: tuple[str, ...], *, sandbox: bool) -> Iterator[str]:
    """The other environments of the same sort: a sandbox's secrets are never compared with real ones."""
    for other in known:
        if other not in (name, discover.EXAMPLE) and _is_sandbox(inventory / other / FILE_NAME) is sandbox:
            yield other


def _is_sandbox(file: Path) -> bool:
    """What another environment says of itself.

    A damaged file counts as a real environment: it may not drop out of a comparison.
    """
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig")).get("sandbox") is True
    except (OSError, ValueError, RecursionError):
        return False
