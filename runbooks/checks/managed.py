"""Whether a server that the application stands on is kept running by whom the inventory says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from runbooks.engine.check import Finding, failed, passed, unknown
from runbooks.engine.errors import Reason, SystemFault
from runbooks.environment.hosting import Hosts
from runbooks.environment.managed import OWN, Managed, provider_of
from runbooks.environment.platforms import open_supervised
from runbooks.systems.hosts.manager import Manager
from runbooks.systems.platform.port import Running

CLOCKS = timedelta(minutes=1)
"""What a process manager and a server may differ by in when the server was started."""


@dataclass(frozen=True)
class Server:
    """A server in question.

    Attributes:
        name: As a person calls it.
        table: The table of the inventory that says who keeps it running.
        hosts: The names by which the application reaches it.
        since: Asks the server itself when it was started.
    """

    name: str
    table: str
    hosts: Sequence[str]
    since: Callable[[], datetime]


def judge(server: Server, declared: Managed | None, platform: Hosts | None) -> Finding:
    """Whether its names are its provider's; or, where it is our own, whether our process manager keeps it running.

    A provider's name is proof enough: nobody but the provider can give it out.

    Raises:
        SystemFault: the process manager or the server can't be asked.
    """
    who = declared.by if declared else "a provider"
    expected = f"{server.name} is kept running by {'a process manager' if who == OWN else who}"
    if not server.hosts:
        return unknown(expected, "its URL names no host", f"declare {server.table}")
    if declared is None:
        return _by_name(expected, server)
    strange = [host for host in server.hosts if not declared.owns(host)]
    if strange:
        known = ", ".join(f"{host} is {provider_of(host) or 'a server'}'s" for host in strange)
        mend = f"have its URL lead to the declared server, or correct {server.table}"
        return failed(expected, f"{known}, which {server.table} does not know", mend)
    if declared.service is None:
        return passed(expected, f"{', '.join(server.hosts)}, a name of {declared.by}")
    return kept_up(server, expected, open_supervised(declared.service, platform), declared.service.name)


def _by_name(expected: str, server: Server) -> Finding:
    whose = {provider_of(host) for host in server.hosts}
    if None in whose:
        found = f"nobody has said whose server {', '.join(server.hosts)} is"
        return unknown(expected, found, f"declare {server.table}; inventory/example/environment.toml shows how")
    return passed(expected, f"{', '.join(server.hosts)}, a name of {', '.join(sorted(filter(None, whose)))}")


def kept_up(server: Server, expected: str, manager: Manager, program: str) -> Finding:
    """Whether this process manager runs it, would start it again, and has started the very one that answers."""
    try:
        running = manager.running()
    except SystemFault as fault:
        if fault.reason is not Reason.FAILED:
            raise
        return failed(expected, f"{fault.what} ({fault.found})", f"start {server.name} by its process manager")
    policy = manager.settings().restart
    if not policy.restarts:
        return failed(expected, f"{program} stays down when it ends ({policy.setting})", "have it started again")
    since = server.since()
    if not _same(running, since):
        found = (
            f"{program} was started {running.started:%Y-%m-%d %H:%M:%S%z}, what answers at {since:%Y-%m-%d %H:%M:%S%z}"
        )
        return failed(expected, found, f"find out who started the server at {', '.join(server.hosts)}")
    told = f"{', '.join(server.hosts)}: {program} runs since {since:%Y-%m-%d %H:%M %Z}, {policy.setting}"
    return passed(expected, told)


def _same(running: Running, since: datetime) -> bool:
    """What the manager calls its start is the first one; those that it did by itself since come after."""
    early = since < running.started - CLOCKS
    late = since > running.started + CLOCKS and not running.restarts
    return not early and not late
