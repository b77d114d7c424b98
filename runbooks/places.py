"""Where an environment and what it leaves behind are found: its inventory, its runs, its store."""

from __future__ import annotations

import os
from pathlib import Path

from runbooks import project
from runbooks.engine import runs
from runbooks.engine.errors import InputError
from runbooks.engine.store import Store
from runbooks.environment import discover
from runbooks.environment.load import load
from runbooks.environment.model import Environment
from runbooks.environment.resolve import open_values
from runbooks.environment.stores import open_shelf, open_store
from runbooks.systems.snapshots.shelf import Shelf

LATEST = "latest"


def open_environment(name: str | None) -> Environment:
    """The environment that a command means.

    Raises:
        InputError: it can't be told, or its inventory is wrong.
    """
    inventory = project.root() / "inventory"
    return load(inventory, discover.choose(inventory, name, os.environ))


def runs_of(environment: Environment) -> Path:
    """The folder that holds the environment's runs on this machine."""
    return _runs(environment.name)


def store_of(environment: Environment) -> Store:
    """The environment's store.

    Raises:
        InputError: the keys of its account can't be read.
    """
    return open_store(environment, open_values(environment, os.environ))


def open_snapshots(environment: Environment) -> Shelf:
    """The environment's snapshots. Raises InputError as `store_of`."""
    return open_shelf(environment, open_values(environment, os.environ))


def open_run(run: str, name: str | None) -> tuple[Environment, Path]:
    """A run's folder, and the environment that it ran in: a run's id tells it, also where there are several.

    Args:
        run: Its id, its beginning or end, or ``latest``.
        name: The environment, if the command names one.

    Raises:
        InputError: no run, or several, answer to it; or the environment can't be loaded.
    """
    if name is None and run != LATEST and not os.environ.get(discover.VARIABLE):
        holders = [each for each in discover.names(project.root() / "inventory") if _holds(each, run)]
        if len(holders) > 1:
            raise InputError(
                f"runs of several environments answer to {run}",
                found=", ".join(holders),
                mend=f"add --env {holders[0]}, or give the whole id",
            )
        name = holders[0] if holders else None
    environment = open_environment(name)
    return environment, runs.find(runs_of(environment), run)


def _runs(environment: str) -> Path:
    return project.root() / "var" / "runs" / environment


def _holds(environment: str, run: str) -> bool:
    try:
        runs.find(_runs(environment), run)
    except InputError:
        return False
    return True
