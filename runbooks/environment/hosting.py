"""What keeps the application running on hosts, and what it may use there: tables of an inventory's ``[platform]``."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runbooks.environment.locate import Path as KeyPath
from runbooks.environment.problem import Problem, dotted

KEEP = 3
"""How many releases are kept where the inventory does not say."""


class ManagerKind(enum.StrEnum):
    """Which process manager runs the application."""

    SUPERVISOR = "supervisor"
    SYSTEMD = "systemd"


class WorkerPlan(enum.StrEnum):
    """Whose rule says how many workers are right."""

    RAILWAY_FREE = "railway-free"
    RAILWAY_PAID = "railway-paid"
    DEDICATED = "dedicated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervised:
    """A program as its process manager knows it.

    Attributes:
        manager: Which process manager.
        name: The program's name in supervisor, or systemd's unit.
        configuration: Supervisor's main configuration file; after loading absolute.
    """

    manager: ManagerKind
    name: str
    configuration: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Service(Supervised):
    """The application as its process manager knows it.

    Attributes:
        builds: The file of build records, one JSON object a line; after loading absolute.
    """

    builds: Path | None = None


def service_problems(path: KeyPath, service: Supervised) -> Iterator[Problem]:
    """What a process manager's table, wherever it stands, can't say."""
    key = (*path, "configuration")
    if service.manager is ManagerKind.SUPERVISOR and service.configuration is None:
        what = f"missing key '{dotted(key)}' for manager = \"supervisor\""
        mend = "add its main configuration file, for example /etc/supervisor/supervisord.conf"
        yield Problem(key, what, mend=mend)
    elif service.manager is ManagerKind.SYSTEMD and service.configuration is not None:
        what = f"'{dotted(key)}' has no use with manager = \"systemd\""
        yield Problem(key, what, mend="remove it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """The machines that releases are deployed to.

    Attributes:
        root: The folder on each of them that holds releases and slots; after loading absolute. With ``names`` it must
            be written so, as must ``install``: this project's folder means nothing on another machine.
        names: How they are reached by SSH, ``[USER@]HOST[:PORT]`` or as ``~/.ssh/config`` calls them, in the order in
            which they are changed; none: it is this machine.
        known_hosts: The file that holds their keys; None: the user's and the system's. After loading absolute.
        key_file: The private key to log in with; None: the agent's, and ``~/.ssh/config``'s. After loading absolute.
        authorized_keys: The file there that lets ``key_file`` in, relative to the home of who logs in.
        python: The interpreter there that virtual environments are made of.
        install: A program there that makes ``.venv`` in a release's folder; None: ``venv`` and pip do.
        sudo: Whether units are started and stopped through sudo.
        keep: How many releases are kept besides those that are in a slot or needed.
        canaries: How many hosts are changed first, and looked at, before the others.
        batch: How many of the others are changed at once.
        failures: How many may fail and the others are changed all the same; those that failed keep what they run. Not
            a canary, and none where the release before can't live with the new one's schema or data.
    """

    root: Path
    names: tuple[str, ...] = ()
    known_hosts: Path | None = None
    key_file: Path | None = None
    authorized_keys: str = ".ssh/authorized_keys"
    python: str = "python3"
    install: Path | None = None
    sudo: bool = False
    keep: int = KEEP
    canaries: int = 1
    batch: int = 1
    failures: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitBounds:
    """Between what the platform's limits of the application must lie: the lowest and the highest accepted.

    Attributes:
        memory_mib: Of memory, in MiB.
        open_files: Of open files.
    """

    memory_mib: tuple[int, int] | None = None
    open_files: tuple[int, int] | None = None
