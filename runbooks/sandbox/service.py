"""An environment's application as the process manager runs it: its command, its limits, its restart policy."""

from __future__ import annotations

from collections.abc import Mapping

from runbooks.sandbox import ports, releases
from runbooks.sandbox.files import read_state, update_state
from runbooks.sandbox.layout import Layout
from runbooks.sandbox.program import Program

NOT_RESTARTED = "not-restarted"
"""The entry of the sandbox's state with the environments whose application is left alone when it ends."""

LIMITS = {"AS": 2 * 1024**3, "NOFILE": 1024}
"""Bytes of address space, and open files, of each process."""


def program(layout: Layout, name: str, variables: Mapping[str, str]) -> Program:
    """The environment's application, started as its own release says."""
    return Program(
        name=ports.application(name),
        argv=releases.start_command(layout, name),
        environment={**variables, **releases.INTERPRETER_VARIABLES},
        directory=layout.release(name).resolve(),
        priority=50,
        autorestart=name not in read_state(layout).get(NOT_RESTARTED, []),
        watched=[layout.variables(name)],
        limits=LIMITS,
        announced=True,
    )


def set_restarted(layout: Layout, name: str, *, restarted: bool) -> None:
    """Say whether the application is started again when it ends by itself; takes effect when it is next managed."""
    others = [each for each in read_state(layout).get(NOT_RESTARTED, []) if each != name]
    update_state(layout, NOT_RESTARTED, others if restarted else [*others, name])
