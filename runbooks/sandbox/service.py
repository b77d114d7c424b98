"""A slot's application as the process manager runs it: its command, its limits, its restart policy."""

from __future__ import annotations

from runbooks.sandbox import ports, releases
from runbooks.sandbox.files import read_state, update_state
from runbooks.sandbox.layout import Layout
from runbooks.sandbox.program import Program
from runbooks.systems.platform.hosting import Slot

NOT_RESTARTED = "not-restarted"
"""The entry of the sandbox's state with the environments whose application is left alone when it ends."""

LIMITS = {"AS": 2 * 1024**3, "NOFILE": 1024}
"""Bytes of address space, and open files, of each process."""


def program(layout: Layout, name: str, slot: Slot) -> Program:
    """What lies in a slot, started as its release says with the variables that lie there.

    The same whatever lies there: a deploy changes files, and starts and stops; it never changes what is supervised.
    """
    return Program(
        name=ports.application(name, slot),
        argv=["/bin/sh", str(layout.host(name) / "start"), slot],
        environment=releases.INTERPRETER_VARIABLES,
        directory=layout.host(name),
        priority=50,
        autostart=False,
        autorestart=name not in read_state(layout).get(NOT_RESTARTED, []),
        limits=LIMITS,
        announced=True,
    )


def set_restarted(layout: Layout, name: str, *, restarted: bool) -> None:
    """Say whether the application is started again when it ends by itself; takes effect when it is next managed."""
    others = [each for each in read_state(layout).get(NOT_RESTARTED, []) if each != name]
    update_state(layout, NOT_RESTARTED, others if restarted else [*others, name])
