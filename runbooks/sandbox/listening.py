"""What the sandbox listens on: nothing may be off loopback, and nothing may be left after it is down."""

from __future__ import annotations

from dataclasses import dataclass

import psutil

from runbooks.sandbox.layout import Layout
from runbooks.sandbox.leftovers import leftovers


@dataclass(frozen=True, order=True)
class Listening:
    """A TCP socket on which a process of the sandbox accepts connections."""

    address: str
    port: int
    pid: int
    program: str


def sockets(layout: Layout) -> list[Listening]:
    """Every listening socket of the sandbox's processes, in order; a process that ends meanwhile has none."""
    found = set()
    for process in leftovers(layout):
        try:
            for connection in process.net_connections(kind="tcp"):
                if connection.status == psutil.CONN_LISTEN:
                    address, port = connection.laddr
                    found.add(Listening(address, port, process.pid, process.name()))
        except psutil.NoSuchProcess:
            continue
    return sorted(found)
