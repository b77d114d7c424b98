"""Asks this machine for addresses, and tries connections."""

from __future__ import annotations

import socket

from runbooks.engine.errors import Reason, SystemFault

DOCUMENTATION = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses that are nobody's; a datagram socket that is pointed at one sends nothing."""


def resolve(host: str) -> tuple[str, ...]:
    """The addresses that this machine would connect to for a host.

    Raises:
        SystemFault: it knows none.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        mend = "see whether the name is only known inside a private network"
        raise SystemFault(
            "the name has no address here", reason=Reason.UNREACHABLE, where=host, found=str(error), mend=mend
        ) from error
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


def own_addresses() -> tuple[str, ...]:
    """The addresses by which this machine reaches others, without loopback."""
    found = []
    for family, nobody in DOCUMENTATION:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as probe:
                probe.connect((nobody, 9))
                found.append(str(probe.getsockname()[0]))
        except OSError:  # no route that way
            continue
    return tuple(address for address in found if address not in ("127.0.0.1", "::1"))


def answers(address: str, port: int, seconds: float = 2.0) -> bool:
    """Whether a connection is accepted there in time."""
    try:
        with socket.create_connection((address, port), timeout=seconds):
            return True
    except OSError:
        return False
