"""Whether a server can be reached from outside the networks that it is meant for: what is alike for all servers."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from runbooks.engine.errors import SystemFault
from runbooks.systems.network import client as network

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
PRIVATE = (*LOOPBACK, *map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))
"""What counts where no networks are declared."""

PUBLIC_PROXIES = (".rlwy.net", ".railway.app")
"""Ends of names by which a platform lets the whole world reach a server."""
PRIVATE_NAMES = (".railway.internal",)
"""Ends of names that exist inside a platform's private network only."""
EVERYWHERE = ("*", "0.0.0.0", "::", "-::*", "::*")
"""How servers write that they listen on every interface."""


@dataclass(frozen=True)
class Exposure:
    """What can be said of where a server is reached.

    Attributes:
        problem: How it is open to the outside; empty if nothing shows that.
        unseen: What could not be looked at; empty if all was.
        seen: What was looked at.
    """

    problem: str = ""
    unseen: str = ""
    seen: str = ""


@dataclass(frozen=True)
class Door:
    """A server's hosts as they are written in URLs, its port, what it listens on and who may come.

    Attributes:
        hosts: Host names and addresses by which it is reached; paths of sockets left out.
        port: Its port.
        listens: The addresses that it says it listens on; None: it does not tell.
        declared: The networks of the inventory.
        outside: More addresses at which it must not answer: those of the machines that it may run on.
    """

    hosts: Sequence[str]
    port: int
    listens: Sequence[str] | None
    declared: Sequence[str]
    outside: Sequence[str] = field(default_factory=tuple)

    @property
    def networks(self) -> tuple[Network, ...]:
        return tuple(map(ipaddress.ip_network, self.declared)) or PRIVATE

    def contains(self, address: str) -> bool:
        """Whether an address lies in the networks that the server is meant for."""
        parsed = ipaddress.ip_address(address.partition("%")[0])
        return any(parsed.version == each.version and parsed in each for each in self.networks)


def hosts(*urls: str | None) -> tuple[str, ...]:
    """The hosts in URLs, once each; a socket's path has none."""
    found = (urlsplit(url).hostname for url in urls if url)
    return tuple(dict.fromkeys(host for host in found if host))


def only_addresses(entries: Sequence[str]) -> tuple[str, ...]:
    """Those of addresses and names that are addresses."""
    return tuple(entry for entry in entries if _is_address(entry))


def exposure(door: Door) -> Exposure:
    """Look at the server's names, at what it listens on, and at whether it answers where it must not."""
    resolved: list[str] = []
    for host in door.hosts:
        if host.endswith(PUBLIC_PROXIES):
            return Exposure(f"{host} is a public proxy of the platform")
        if host.endswith(PRIVATE_NAMES):
            continue
        try:
            addresses = network.resolve(host)
        except SystemFault as fault:
            return Exposure(unseen=f"{host} has no address here ({fault.found})")
        if outside := [address for address in addresses if not door.contains(address)]:
            return Exposure(f"{host} is at {', '.join(outside)}, outside of {_written(door)}")
        resolved += addresses
    if door.listens is not None and (strange := _strange(door)):
        return Exposure(strange)
    return _tried(door, resolved)


def _strange(door: Door) -> str:
    """What the server listens on although it is meant for other networks, or nothing."""
    listens = door.listens or ()
    everywhere = any(each in EVERYWHERE for each in listens)
    if everywhere and all(each.is_loopback for each in door.networks):
        return f"it listens on every interface ({', '.join(listens)}), and is meant for {_written(door)}"
    for each in listens:
        address = each.removeprefix("-")
        if address not in EVERYWHERE and _is_address(address) and not door.contains(address):
            return f"it listens on {address}, outside of {_written(door)}"
    return ""


def _tried(door: Door, resolved: Sequence[str]) -> Exposure:
    """Try to connect from outside the networks, where this machine can stand in for an outsider."""
    own = network.own_addresses()
    here = any(_is_loopback(address) or address in own for address in resolved)
    candidates = [*(own if here else ()), *door.outside]
    targets = [each for each in dict.fromkeys(candidates) if not door.contains(each) and not _is_loopback(each)]
    for address in targets:
        if network.answers(address, door.port):
            return Exposure(f"it answers at {address}:{door.port}, outside of {_written(door)}")
    told = [*(["listens on " + ", ".join(door.listens)] if door.listens else [])]
    told += [f"no answer at {', '.join(targets)}"] if targets else []
    only_inside = door.listens is not None and not any(each in EVERYWHERE for each in door.listens)
    if not targets and not only_inside:
        return Exposure(unseen="whether it answers outside its network could not be tried from here")
    return Exposure(seen="; ".join([f"at {', '.join(door.hosts) or 'a socket'}", *told]))


def _written(door: Door) -> str:
    return ", ".join(door.declared) or "private networks"


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback
