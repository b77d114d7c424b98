"""The sandbox's loopback ports: chosen once, remembered, and replaced only if a stranger has taken one."""

from __future__ import annotations

import os
import re
import secrets
import socket
from collections.abc import Collection, Iterable

from runbooks.engine.errors import InputError
from runbooks.sandbox.files import read_state, update_state
from runbooks.sandbox.layout import Layout
from runbooks.sandbox.listening import sockets

LOOPBACK = "127.0.0.1"
BELOW_CLIENTS = range(22_000, 32_000)
VARIABLE = "SANDBOX_PORTS"
"""Names a part of these, as ``22000-26999``: of sandboxes that start at the same time, both may choose a free port."""

POSTGRES, VALKEY, SUPERVISOR, PROVIDER = "postgres", "valkey", "supervisor", "provider"
OBJECT_STORE = "object-store"
OBJECT_STORE_PARTS = tuple(f"{OBJECT_STORE}-{part}" for part in ("master", "volume", "filer", "admin"))
PAIRED = {OBJECT_STORE: 10_000, **dict.fromkeys(OBJECT_STORE_PARTS, 10_000)}
"""Servers that listen on a second port too, so much above the first: it is the second that is chosen."""
FEWEST = 100
"""Ports that must be allowed, so that free ones are found among them."""
DNS, PROXY, PROXY_PLAIN = "dns", "proxy", "proxy-plain"


def application(environment: str, slot: str) -> str:
    """The name of the port on which an environment's application listens in a slot, and of the program there."""
    return f"application-{environment}-{slot}"


def recorded(layout: Layout) -> dict[str, int]:
    """Every port chosen so far, by name."""
    ports = read_state(layout).get("ports", {})
    if not isinstance(ports, dict) or not all(isinstance(port, int) for port in ports.values()):
        raise InputError("the sandbox's ports can't be read", where=str(layout.state), found=repr(ports))
    return ports


def ensure(layout: Layout, names: Iterable[str]) -> dict[str, int]:
    """A port for each name: the recorded one, or a new one if a process outside the sandbox listens there.

    Nothing keeps the port free between this and the server's start; a server that finds it taken fails, and the
    next `ensure` chooses another.
    """
    before = recorded(layout)
    ports = dict(before)
    ours = {listening.port for listening in sockets(layout)} if before else set()
    for name in names:
        port = ports.get(name)
        if port is None or not all(each in ours or is_free(each) for each in listening(name, port)):
            ports[name] = choose(
                name, avoiding=[each for name, port in ports.items() for each in listening(name, port)]
            )
    if ports != before:
        update_state(layout, "ports", ports)
    return {name: ports[name] for name in names}


def listening(name: str, port: int) -> tuple[int, ...]:
    """Every port on which the server of this name listens."""
    return (port, port + PAIRED[name]) if name in PAIRED else (port,)


def choose(name: str = "", avoiding: Collection[int] = ()) -> int:
    """A port on which nothing listens now, and that is none of ``avoiding``.

    It is below the range from which the kernel takes the ports of outgoing connections. A port out of that range can
    be gone whenever its server restarts, taken by any client, even by the one that waits for the server.

    Raises:
        InputError: SANDBOX_PORTS is no part of that range.
    """
    allowed = allowed_ports()
    while True:
        port = secrets.choice(allowed) - PAIRED.get(name, 0)
        if all(each not in avoiding and is_free(each) for each in listening(name, port)):
            return port


def allowed_ports() -> range:
    """Those that may be chosen. Raises InputError: SANDBOX_PORTS is no part of them, or too small."""
    text = os.environ.get(VARIABLE)
    if text is None:
        return BELOW_CLIENTS
    found = re.fullmatch(r"(\d{1,5})-(\d{1,5})", text)
    first, last = (int(found[1]), int(found[2])) if found else (0, 0)
    if not (BELOW_CLIENTS.start <= first and last < BELOW_CLIENTS.stop and last - first + 1 >= FEWEST):
        raise InputError(
            f"{VARIABLE} names no part of the sandbox's ports",
            found=text,
            mend=f"{VARIABLE}={BELOW_CLIENTS.start}-{BELOW_CLIENTS.stop - 1}, or at least {FEWEST} of these",
        )
    return range(first, last + 1)


def is_free(port: int) -> bool:
    """Whether a server could listen on the loopback port now, by TCP and by UDP."""
    with socket.socket() as probe, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        # As servers do: connections of an earlier server that are still winding down don't count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen()
            datagrams.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
