"""Means at the encrypted copies of the variables: others than run, another recipient's, or none."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from runbooks.engine.secret import Secret
from runbooks.sandbox import variable_copies
from runbooks.sandbox.faults.fault import Means
from runbooks.sandbox.faults.means import LOCAL
from runbooks.sandbox.world import Sandbox
from runbooks.systems.secrets.dotenv import DotenvSource
from runbooks.systems.variables.copies import SEALED


def copied_with(change: Callable[[Mapping[str, Secret]], Mapping[str, Secret]]) -> Means:
    """Make a copy of other variables than those that run; the way back is a copy of these."""

    def inject(sandbox: Sandbox) -> None:
        variables = change(DotenvSource(sandbox.layout.variables(LOCAL)).load())
        variable_copies.back_up(sandbox.project, sandbox.layout, LOCAL, variables)

    return Means(inject, _copy_anew, restarts=False)


def another_encryption_key(variables: Mapping[str, Secret]) -> Mapping[str, Secret]:
    """A valid one that nothing was encrypted with."""
    name = "ENCRYPTION_KEY"
    return {**variables, name: Secret(name, base64.urlsafe_b64encode(os.urandom(32)).decode())}


def not_copied() -> Means:
    """Set a variable by hand and make no copy of it."""

    def inject(sandbox: Sandbox) -> None:
        with sandbox.layout.variables(LOCAL).open("a") as file:
            file.write("PROJECT_NAME='PRAVIEL'\n")

    return Means(inject, lambda sandbox: sandbox.write_variables(), restarts=False)


def copies_gone() -> Means:
    """Delete all copies."""
    return Means(lambda sandbox: shutil.rmtree(_folder(sandbox), ignore_errors=True), _copy_anew, restarts=False)


def copy_cut() -> Means:
    """Cut the newest copy short."""

    def inject(sandbox: Sandbox) -> None:
        sealed = max(_folder(sandbox).glob(f"*/{SEALED}"))
        sealed.write_bytes(sealed.read_bytes()[:-10])

    return Means(inject, _copy_anew, restarts=False)


def _copy_anew(sandbox: Sandbox) -> None:
    """A new copy also where the newest one's manifest says the same."""
    variable_copies.back_up(sandbox.project, sandbox.layout, LOCAL, {})
    sandbox.write_variables()


def _folder(sandbox: Sandbox) -> Path:
    return sandbox.project / "var" / "store" / LOCAL / "variables"
