"""The processor time of a server and of its clients: what a busy machine changes least."""

from __future__ import annotations

import contextlib
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Cost:
    """Seconds: of the clocks on the wall, and of the processors in our programs and in the server."""

    wall: float
    client: float
    server: float

    @property
    def processor(self) -> float:
        return self.client + self.server


def cost_of(work: Callable[[], object], postmaster: psutil.Process) -> Cost:
    """What it costs to run programs that all have ended when it returns."""
    began, client, server = time.monotonic(), _clients(), _server(postmaster)
    work()
    return Cost(time.monotonic() - began, _clients() - client, _server(postmaster) - server)


def _clients() -> float:
    """Of this process, and of all programs of it that have ended, with their own."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _server(postmaster: psutil.Process) -> float:
    """Of the server: of its processes that have ended, which it has counted, and of those that run."""
    while True:
        before = {child.pid for child in postmaster.children()}
        times = postmaster.cpu_times()
        total: float = times.user + times.system + times.children_user + times.children_system
        for child in postmaster.children():
            with contextlib.suppress(psutil.NoSuchProcess):
                used = child.cpu_times()
                total += used.user + used.system
        if before == {child.pid for child in postmaster.children()}:  # or one ended unseen while they were read
            return total
