"""From ``[platform]`` to the platform that is asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.environment.hosting import Hosts, ManagerKind, Service, Supervised, WorkerPlan
from runbooks.environment.model import Platform, PlatformKind

if TYPE_CHECKING:
    from runbooks.systems.hosts.access import Access
    from runbooks.systems.hosts.control import Control
    from runbooks.systems.hosts.manager import Manager
    from runbooks.systems.platform import port
    from runbooks.systems.platform.hosting import Hosting


def open_platform(declared: Platform) -> port.Platform:
    """What runs the application, not yet asked.

    Raises:
        SystemFault: the inventory does not say what to ask, or it can't be asked yet.
    """
    if declared.kind is not PlatformKind.HOSTS:
        raise SystemFault(
            f"{declared.kind} can't be asked: that is not built",
            reason=Reason.UNREACHABLE,
            where=f'platform.kind = "{declared.kind}"',
            mend="look at its dashboard",
        )
    if declared.service is None:
        raise SystemFault(
            "it is not declared what keeps the application running",
            reason=Reason.UNREACHABLE,
            where="platform.service",
            mend="declare platform.service.manager and platform.service.name",
        )
    return _host(declared.service, declared.hosts)


def _host(service: Service, hosts: Hosts | None) -> port.Platform:
    """Where there are several hosts, the first."""
    from runbooks.systems.hosts.host import Host

    access = _accesses(hosts)[0]
    name = _program(service, active_slot(access, str(hosts.root))) if hosts else service.name
    return Host(access, _manager(service, access, name), str(service.builds) if service.builds else None)


def open_supervised(program: Supervised, hosts: Hosts | None) -> Manager:
    """What keeps another program running on the first host, or on this machine; such as the database."""
    return _manager(program, _accesses(hosts)[0], program.name)


def _manager(service: Supervised, access: Access, name: str) -> Manager:
    from runbooks.systems.hosts.supervisor import Supervisor
    from runbooks.systems.hosts.systemd import Systemd

    if service.manager is ManagerKind.SUPERVISOR:
        return Supervisor(access, str(service.configuration), name)
    return Systemd(access, name)


def _program(service: Service, slot: str) -> str:
    return f"{service.name}-{slot}" if service.manager is ManagerKind.SUPERVISOR else f"{service.name}@{slot}.service"


def active_slot(access: Access, root: str) -> str:
    """The slot of a host that requests go to; blue before the first switch.

    Raises:
        SystemFault: the host can't be asked.
    """
    from runbooks.systems.hosts import commands

    return access.run(commands.link(f"{root}/active")).text.strip().rpartition("/")[2] or "blue"


def serving_commit(hosting: Hosting) -> str | None:
    """The commit that the first host's requests go to; None if it can't be asked, or serves nothing yet."""
    try:
        serving = hosting.serving(hosting.hosts[0])
    except SystemFault:
        return None
    return serving.release.commit if serving else None


def open_hosting(declared: Platform, repository: Callable[[], Path]) -> Hosting:
    """The hosts that releases are deployed to, not yet asked.

    Args:
        repository: The folder of the release's repository; asked for when a release is built.

    Raises:
        SystemFault: the inventory declares none.
    """
    from runbooks.systems.hosts.fleet import Fleet
    from runbooks.systems.hosts.slot_build import Recipe
    from runbooks.systems.hosts.slot_host import SlotHost
    from runbooks.systems.hosts.supervisor_control import SupervisorControl
    from runbooks.systems.hosts.systemd_control import SystemdControl
    from runbooks.systems.source import archive

    hosts, service = declared.hosts, declared.service
    if hosts is None or service is None:
        raise SystemFault(
            "it is not declared where releases are deployed to",
            reason=Reason.NOTHING_TO_ASK,
            where="platform.hosts",
            mend="declare [platform.service] and [platform.hosts]; inventory/example/environment.toml shows how",
        )
    recipe = Recipe(
        lambda commit: archive.stream(repository(), commit),
        hosts.python,
        str(hosts.install or ""),
        str(service.builds or ""),
    )

    def member(access: Access) -> SlotHost:
        control: Control = (
            SupervisorControl(access, str(service.configuration), service.name)
            if service.manager is ManagerKind.SUPERVISOR
            else SystemdControl(access, service.name, hosts.sudo)
        )
        return SlotHost(access, str(hosts.root), control, recipe)

    return Fleet({access.name: member(access) for access in _accesses(hosts)})


def log_in(hosts: Hosts, name: str, key: Secret | None = None) -> Access:
    """One of the hosts, over a connection of its own.

    Args:
        key: The private key that alone is tried; None: as the inventory says.
    """
    from runbooks.systems.hosts.ssh import Login, Ssh

    return Ssh(Login(name, hosts.known_hosts, hosts.key_file, key))


def _accesses(hosts: Hosts | None) -> list[Access]:
    from runbooks.systems.hosts.access import Here

    if hosts is None or not hosts.names:
        return [Here()]
    from runbooks.systems.hosts.ssh import Login, Ssh

    return [Ssh(Login(name, hosts.known_hosts, hosts.key_file)) for name in hosts.names]


def worker_plan(word: str) -> WorkerPlan:
    """The plan of this name.

    Raises:
        InputError: there is none.
    """
    try:
        return WorkerPlan(word)
    except ValueError:
        raise InputError(
            "platform.worker_plan is no plan that is known",
            where="platform.worker_plan",
            found=repr(word[:40]),
            mend=f"one of {', '.join(WorkerPlan)}",
        ) from None
