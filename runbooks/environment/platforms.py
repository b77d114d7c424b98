"""From ``[platform]`` to the platform that is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.environment.hosting import ManagerKind, Service, WorkerPlan
from runbooks.environment.model import Platform, PlatformKind

if TYPE_CHECKING:
    from runbooks.systems.hosts.manager import Manager
    from runbooks.systems.platform import port


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
    return _host(declared.service)


def _host(service: Service) -> port.Platform:
    from runbooks.systems.hosts.host import Host
    from runbooks.systems.hosts.runner import Local
    from runbooks.systems.hosts.supervisor import Supervisor
    from runbooks.systems.hosts.systemd import Systemd

    runner = Local()
    manager: Manager = (
        Supervisor(runner, str(service.configuration), service.name)
        if service.manager is ManagerKind.SUPERVISOR
        else Systemd(runner, service.name)
    )
    return Host(runner, manager, str(service.builds) if service.builds else None)


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
