"""The files that make a machine a host: what starts its slots, the proxy before them, and the folders."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from runbooks import rendering
from runbooks.engine.errors import InputError
from runbooks.environment.hosting import ManagerKind
from runbooks.environment.model import Environment
from runbooks.places import open_environment
from runbooks.systems.platform.hosting import Slot

MEMORY_MIB = 2048
USER = "praviel"


def files(environment: Environment, addresses: dict[str, str]) -> dict[str, str]:
    """The files by name.

    Caddy's is JSON: its Caddyfile would put a port behind an address that is read from a file. It is loaded once; no
    deploy reloads it, which would cut connections.

    Args:
        addresses: Where each slot listens, ``ADDRESS:PORT``.

    Raises:
        InputError: the inventory declares no hosts, or an address is none.
    """
    service, hosts = environment.platform.service, environment.platform.hosts
    if service is None or hosts is None:
        raise InputError(
            "this environment declares no hosts",
            where=str(environment.file),
            mend="declare [platform.service] and [platform.hosts]; inventory/example/environment.toml shows how",
        )
    for slot, address in addresses.items():
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal():
            raise InputError("a slot's address must be ADDRESS:PORT", where=f"--{slot}", found=repr(address[:60]))
    if len(set(addresses.values())) < len(addresses):
        raise InputError("both slots have the same address", found=addresses[Slot.BLUE], mend="--green 127.0.0.1:8002")
    user = next((name.partition("@")[0] for name in hosts.names if "@" in name), USER)
    limits = environment.platform.limits.memory_mib
    facts: dict[str, Any] = {
        "written_by": f"{rendering.WRITTEN_BY} hosts.render",
        "environment": environment,
        "name": service.name,
        "root": str(hosts.root),
        "user": user,
        "slots": [slot.value for slot in Slot],
        "addresses": addresses,
        "memory": limits[1] if limits else MEMORY_MIB,
        "public": _public(environment),
    }
    made = {"prepare.sh": "prepare.sh", "caddy.json": "caddy.json"}
    if service.manager is ManagerKind.SYSTEMD:
        made[f"{service.name}@.service"] = "systemd.service"
        if hosts.sudo:
            made[f"{service.name}.sudoers"] = "sudoers"
    else:
        made[f"{service.name}.conf"] = "supervisor.conf"
    return {name: rendering.rendered(f"hosts/{template}.j2", facts) for name, template in made.items()}


def render(environment: str | None, output: str | None, *, blue: str, green: str) -> None:
    """Print the files, or write them into a folder.

    Raises:
        InputError: see `files` and `rendering.show`.
    """
    opened = open_environment(environment)
    rendering.show(files(opened, {Slot.BLUE: blue, Slot.GREEN: green}), output)


def _public(environment: Environment) -> str:
    """The name that the proxy answers by."""
    url = environment.application.url
    name = urlsplit(url).hostname if isinstance(url, str) else None
    return name or "api.example.org"
