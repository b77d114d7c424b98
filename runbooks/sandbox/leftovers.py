"""Which processes belong to a sandbox, and how to end them when nobody supervises them any more.

A process is known by what only the sandbox can have given it: the marker variable that the process manager and
every program carry, or an executable inside the sandbox. Pids are never remembered, so a recycled one can't
betray a stranger; neither a name nor a working directory counts, so a shell or pager in the folder is safe.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import psutil

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.wait import until
from runbooks.sandbox.layout import Layout

MARKER = "RUNBOOKS_SANDBOX"
"""The environment variable that names the sandbox's root in all of its processes."""


def leftovers(layout: Layout) -> list[psutil.Process]:
    """Every living process of this sandbox, its process manager included, ourselves excluded."""
    return [process for process in psutil.process_iter() if _belongs(process, layout)]


def clear_leftovers(layout: Layout, *, seconds: float = 10) -> list[int]:
    """End every process of this sandbox, and return the pids that there were.

    First the process manager is asked, which stops its programs in order; then what is left is asked; what
    has not ended after ``seconds`` of either is killed.

    Raises:
        SystemFault: FAILED, a process survived SIGKILL.
    """
    found = leftovers(layout)
    _end([process for process in found if _is_manager(process)], found, seconds)
    rest = leftovers(layout)
    _end(rest, rest, seconds)
    for _ in range(3):  # a process may have forked while we were looking
        rest = leftovers(layout)
        if not rest:
            return [process.pid for process in found]
        for process in rest:
            _send(process, signal.SIGKILL)
        wait_for(rest, seconds=5)
    raise SystemFault(
        "processes of the sandbox can't be ended",
        reason=Reason.FAILED,
        where=str(layout.root),
        found=", ".join(str(process.pid) for process in rest),
        mend="look at them with: ps -fp " + ",".join(str(process.pid) for process in rest),
    )


def wait_for(processes: Sequence[psutil.Process], *, seconds: float) -> bool:
    """Whether they all ended in that time. One that only waits for its parent (or init) to take note has ended."""
    with contextlib.suppress(SystemFault):
        return until(lambda: all(map(_has_ended, processes)), seconds=seconds, what="they did not end")
    return False


def _has_ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def kill_below(folder: Path) -> None:
    """Kill the processes that run an executable of this folder."""
    found = [process for process in psutil.process_iter() if _runs_from(process, folder)]
    for process in found:
        _send(process, signal.SIGKILL)
    wait_for(found, seconds=5)


def _runs_from(process: psutil.Process, folder: Path) -> bool:
    try:
        return Path(process.exe()).is_relative_to(folder)
    except (psutil.Error, OSError):
        return False  # a kernel thread, another user's, or just ended


def _belongs(process: psutil.Process, layout: Layout) -> bool:
    if process.pid == os.getpid():
        return False
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return _runs_from(process, layout.root) or process.environ().get(MARKER) == str(layout.root)
    except (psutil.Error, OSError):
        return False  # it has just ended, or it is another user's and so not of a sandbox that we could have started


def _is_manager(process: psutil.Process) -> bool:
    try:
        return "supervisor.supervisord" in process.cmdline()
    except psutil.Error:
        return False


def _end(asked: list[psutil.Process], awaited: list[psutil.Process], seconds: float) -> None:
    pids = [process.pid for process in asked if _send(process, _stop_signal(process))]
    if pids:
        wait_for(awaited, seconds=seconds)


def _stop_signal(process: psutil.Process) -> signal.Signals:
    """PostgreSQL waits for its clients at SIGTERM; SIGINT means "fast" to it."""
    try:
        return signal.SIGINT if process.name() == "postgres" else signal.SIGTERM
    except psutil.Error:
        return signal.SIGTERM


def _send(process: psutil.Process, number: signal.Signals) -> bool:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return False
    return True
