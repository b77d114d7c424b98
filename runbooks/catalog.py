"""Which runbooks there are, and how each is put together: also by ``runs.resume``, from what a journal says."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from runbooks.engine.errors import InputError
from runbooks.engine.redact import Redactor
from runbooks.engine.step import Runbook
from runbooks.environment.model import Environment

_BUILDERS = {
    "release.verify": "runbooks.verify:prepare",
    "checklist.attest": "runbooks.attest:prepare_attest",
    "checklist.waive": "runbooks.attest:prepare_waive",
    "release.watch": "runbooks.watch:prepare",
    "release.load": "runbooks.load:prepare",
    "release.deploy": "runbooks.deploy:prepare",
    "release.promote": "runbooks.holding:prepare_promote",
    "release.mark-bad": "runbooks.holding:prepare_mark_bad",
    "release.settle": "runbooks.settling:prepare",
    "backup.create": "runbooks.backup:prepare",
    "backup.verify": "runbooks.backup_verify:prepare",
    "backup.restore": "runbooks.restore:prepare",
    "backup.drill": "runbooks.drill:prepare",
    "backup.prune": "runbooks.prune:prepare",
    "rollback": "runbooks.rollback:prepare",
    "quarantine.drop": "runbooks.quarantine:prepare_drop",
    "variables.backup": "runbooks.variables_backup:prepare",
    "variables.restore": "runbooks.variables_restore:prepare",
    "secrets.rotate": "runbooks.rotate:prepare",
    "sandbox.up": "runbooks.sandbox.up:prepare",
    "sandbox.down": "runbooks.sandbox.down:prepare",
    "sandbox.reset": "runbooks.sandbox.reset:prepare",
}
"""Imported when asked for: a command loads only what it runs."""


NEED_THE_APPLICATION = {
    "release.verify",
    "release.watch",
    "release.load",
    "release.deploy",
    "backup.create",
    "backup.restore",
    "backup.drill",
    "backup.prune",
    "variables.backup",
    "secrets.rotate",
}
"""Runbooks that ask a running application or its database, so that a sandbox is started for them."""


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What a runbook is put together from."""

    environment: Environment
    redactor: Redactor
    run: str
    runs: Path
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Prepared:
    """A runbook with its tools, ready to be performed.

    Attributes:
        close: Gives back what the tools hold.
        accept: Has a person accept what a new run costs, beyond the change itself; raises InputError if nobody does.
    """

    runbook: Runbook[Any]
    tools: Any
    close: Callable[[], None] = lambda: None
    accept: Callable[[TextIO], None] = lambda _stream: None


def prepare(name: str, opening: Opening) -> Prepared:
    """Put the runbook of this name together.

    Raises:
        InputError: there is none, its parameters are wrong, or what it needs is not installed.
    """
    if name not in _BUILDERS:
        raise InputError(f"no runbook is called {name}", mend="invoke --list")
    module, _, function = _BUILDERS[name].partition(":")
    try:
        builder = getattr(importlib.import_module(module), function)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("runbooks"):
            raise
        raise not_installed(name, error) from error
    prepared: Prepared = builder(opening)
    return prepared


def not_installed(what: str, error: ModuleNotFoundError) -> InputError:
    """The error for a part that this installation was made without."""
    return InputError(
        f"{what} needs the package {error.name}, which is not installed",
        mend="pip install -c constraints.txt -e '.[sandbox]'",
    )
