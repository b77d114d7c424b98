"""Which environments an inventory holds, and which one a command means."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from runbooks.engine.errors import InputError
from runbooks.environment.problem import did_you_mean

DEFAULT = "local"
SANDBOXES = (DEFAULT, "local-staging")
EXAMPLE = "example"
VARIABLE = "RUNBOOKS_ENV"
NAME = re.compile(r"[a-z0-9-]{1,40}")


def names(inventory: Path) -> tuple[str, ...]:
    """The environments in an inventory, in alphabetical order: every folder, also an incomplete one.

    Raises:
        InputError: the inventory can't be read.
    """
    try:
        folders = [entry.name for entry in inventory.iterdir() if entry.is_dir()]
    except OSError as error:
        raise InputError(
            "the inventory can't be read",
            where=str(inventory),
            found=error.strerror or "",
            mend="run the command in the project's folder",
        ) from None
    return tuple(sorted(name for name in folders if not name.startswith((".", "_"))))


def choose(inventory: Path, wanted: str | None, environ: Mapping[str, str]) -> str:
    """The environment that a command means: the one it names, else RUNBOOKS_ENV, else `local` if it is alone.

    Args:
        inventory: The folder that holds one folder per environment.
        wanted: What the command names; None if it names none. An empty name is refused: it comes from an
            unset variable in a script.
        environ: This process's environment variables.

    Raises:
        InputError: there is no such environment, it is the example, or none was named and there are several.
    """
    known = names(inventory)
    if wanted is not None:
        return _checked(wanted, known, f"--env {wanted}", inventory)
    if from_variable := environ.get(VARIABLE):
        return _checked(from_variable, known, f"{VARIABLE}={from_variable}", inventory)
    if runnable := [name for name in known if name not in (*SANDBOXES, EXAMPLE)]:
        raise InputError(
            "several environments exist; say which one is meant",
            where=str(inventory),
            found=_listed(known),
            mend=f"add --env {runnable[0]} to the command, or set {VARIABLE}={runnable[0]}",
        )
    return _checked(DEFAULT, known, "no environment was named", inventory)


def _checked(name: str, known: Sequence[str], origin: str, inventory: Path) -> str:
    if name == EXAMPLE:
        raise InputError(
            "'example' is a template and can't be run",
            where=origin,
            mend=f"cp -r {inventory}/{EXAMPLE} {inventory}/NAME and fill it in",
        )
    if not NAME.fullmatch(name):
        raise InputError(
            f"{name[:60]!r} can't be an environment's name",
            where=origin,
            found="something else than 1 to 40 small letters, digits and hyphens",
            mend=did_you_mean(name, _runnable(known)) or f"choose one of: {_listed(known)}",
        )
    if name not in known:
        raise missing(name, known, origin)
    return name


def missing(name: str, known: Sequence[str], where: str) -> InputError:
    """The error for an environment that is not in the inventory."""
    return InputError(
        f"there is no environment '{name}'",
        where=where,
        found=f"environments: {_listed(known)}",
        mend=did_you_mean(name, _runnable(known)) or f"cp -r inventory/{EXAMPLE} inventory/{name} and fill it in",
    )


def _runnable(known: Sequence[str]) -> list[str]:
    return [name for name in known if name != EXAMPLE]


def _listed(known: Sequence[str]) -> str:
    return ", ".join(_runnable(known)) or "none"
