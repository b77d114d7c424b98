"""The servers beneath the applications; adding one is a module with `prepare` and `ready`, and a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from runbooks.engine.errors import SystemFault
from runbooks.sandbox import (
    dns_server,
    object_store_server,
    pooler,
    ports,
    postgres_server,
    provider_server,
    proxy_server,
    valkey_server,
)
from runbooks.sandbox.environments import redis_users
from runbooks.sandbox.layout import Layout
from runbooks.sandbox.program import Program

Numbers = Mapping[str, int]
"""The sandbox's ports by name."""


@dataclass(frozen=True)
class Server:
    """A server of the sandbox.

    Attributes:
        name: The program's name, and that of the port that `sandbox.status` shows.
        title: As a person calls it.
        prepare: Installs and initialises it on first use, and says what is to be run. Safe to repeat.
        ready: Returns once it really answers, or raises SystemFault after so many seconds.
        more_ports: Names of the further ports that it listens on.
        alive: A cheaper question than ``ready``, where that one is dear.
    """

    name: str
    title: str
    prepare: Callable[[Layout, Numbers], Program]
    ready: Callable[[Layout, Numbers, float], None]
    more_ports: tuple[str, ...] = ()
    alive: Callable[[Numbers], bool] | None = None

    def answers(self, layout: Layout, numbers: Numbers) -> bool:
        """Whether it answers now."""
        if self.alive:
            return self.alive(numbers)
        try:
            self.ready(layout, numbers, 1)
        except SystemFault:
            return False
        return True


SERVERS = (
    Server(
        ports.POSTGRES,
        "PostgreSQL",
        lambda layout, numbers: postgres_server.prepare(layout, numbers[ports.POSTGRES]),
        lambda layout, numbers, seconds: postgres_server.ready(layout, numbers[ports.POSTGRES], seconds=seconds),
    ),
    Server(
        ports.VALKEY,
        "Valkey",
        lambda layout, numbers: valkey_server.prepare(layout, numbers[ports.VALKEY], redis_users(layout)),
        lambda layout, numbers, seconds: valkey_server.ready(layout, numbers[ports.VALKEY], seconds=seconds),
    ),
    Server(
        ports.PROVIDER,
        "the providers' stand-in",
        lambda layout, numbers: provider_server.prepare(layout, numbers[ports.PROVIDER]),
        lambda _layout, numbers, seconds: provider_server.ready(numbers[ports.PROVIDER], seconds=seconds),
    ),
    Server(
        ports.OBJECT_STORE,
        "the object store",
        object_store_server.prepare,
        lambda layout, numbers, seconds: object_store_server.ready(
            layout, numbers[ports.OBJECT_STORE], seconds=seconds
        ),
        more_ports=ports.OBJECT_STORE_PARTS,
        alive=lambda numbers: object_store_server.answers(numbers[ports.OBJECT_STORE]),
    ),
    Server(
        ports.DNS,
        "the name server",
        lambda layout, numbers: dns_server.prepare(layout, numbers[ports.DNS]),
        lambda _layout, numbers, seconds: dns_server.ready(numbers[ports.DNS], seconds=seconds),
    ),
    Server(
        ports.PROXY,
        "the proxy",
        proxy_server.prepare,
        lambda _layout, numbers, seconds: proxy_server.ready(numbers, seconds=seconds),
        more_ports=(ports.PROXY_PLAIN,),
    ),
)
"""In the order in which they are started and waited for."""


def programs(layout: Layout, numbers: Numbers) -> list[Program]:
    """What is run beneath the applications: the servers, and a pooler where a fault has put one."""
    return [*(server.prepare(layout, numbers) for server in SERVERS), *pooler.programs(layout, numbers)]


TITLES = ", ".join(server.title for server in SERVERS)
