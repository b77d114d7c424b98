"""Faults of the vault that secrets are kept in."""

from __future__ import annotations

from runbooks.sandbox.environments import vault
from runbooks.sandbox.faults.fault import Means
from runbooks.sandbox.faults.means import LOCAL
from runbooks.sandbox.files import write_private
from runbooks.sandbox.world import Sandbox


def holds(name: str, value: str) -> Means:
    """Have another value of a secret in it, or with an empty one nothing."""

    def inject(sandbox: Sandbox) -> None:
        write_private(vault(sandbox.layout, LOCAL), f"{name}='{value}'\n")

    return Means(inject, _whole, restarts=False)


def gone() -> Means:
    """Have it answer nobody."""
    return Means(lambda sandbox: vault(sandbox.layout, LOCAL).unlink(missing_ok=True), _whole, restarts=False)


def _whole(sandbox: Sandbox) -> None:
    sandbox.write_variables()
