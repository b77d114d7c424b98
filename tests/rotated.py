"""What holds of an environment whose secrets were rotated."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from runbooks.engine.errors import SystemFault
from runbooks.engine.redact import Redactor
from runbooks.environment.load import load
from runbooks.environment.site import Site
from runbooks.sandbox import slots
from runbooks.sandbox.world import Sandbox


def runs_with(sandbox: Sandbox, name: str, values: Mapping[str, str]) -> bool:
    """Whether each of the application's processes was started with these, and it answers; its other slot is at rest."""
    active = sandbox.active_program(name)
    states = sandbox.manager.states()
    assert [each for each in slots.programs(name) if each != active and states.get(each) == "RUNNING"] == []
    parent = psutil.Process(sandbox.manager.pid(active))
    given = [each.environ() for each in (parent, *parent.children(recursive=True))]
    return all(each.get(key) == value for each in given for key, value in values.items()) and sandbox.answers(name)


@contextlib.contextmanager
def asked_meanwhile(project: Path) -> Iterator[list[int | str]]:
    """Somebody asks the application's public address all the time: each answer's status, or why there was none."""
    answers: list[int | str] = []
    over = threading.Event()
    site = Site(load(project / "inventory", "local"), Redactor())
    application = site.application

    def ask() -> None:
        while not over.is_set():
            try:
                answers.append(application.get("/health").status)
            except SystemFault as fault:
                answers.append(str(fault))
            over.wait(0.02)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield answers
    finally:
        over.set()
        thread.join()
        site.close()
