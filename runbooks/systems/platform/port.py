"""The platform port, its reading half: settings, the running release, its log, its builds, and the host beneath.

Every method raises SystemFault if the platform can't be asked or refuses.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class RestartPolicy:
    """What happens when the application ends by itself.

    Attributes:
        setting: As the platform writes it, such as ``Restart=on-failure``.
        restarts: Whether it is started again after a failure.
        retries: How often at most before the platform gives up; None: without end.
    """

    setting: str
    restarts: bool
    retries: int | None


@dataclass(frozen=True)
class StopRule:
    """How the platform stops the application.

    Attributes:
        signal: Its name, such as ``SIGTERM``.
        seconds: How long after it SIGKILL follows; None: never.
    """

    signal: str
    seconds: float | None


@dataclass(frozen=True)
class Settings:
    """How the platform is told to run the application.

    Attributes:
        where: Where these stand, for a person.
        restart: What happens when it ends by itself.
        stop: How it is stopped.
    """

    where: str
    restart: RestartPolicy
    stop: StopRule


class Resource(enum.StrEnum):
    """What can be limited."""

    MEMORY = "memory"
    OPEN_FILES = "open files"


@dataclass(frozen=True)
class Limit:
    """The most that the application may use of something, and what it uses now.

    Attributes:
        resource: Of what.
        setting: How the limit is called where it is set, such as ``RLIMIT_AS``.
        most: Bytes or pieces; None: there is no limit.
        used: The same unit; None: it can't be read.
    """

    resource: Resource
    setting: str
    most: int | None
    used: int | None


@dataclass(frozen=True)
class Running:
    """The release that runs.

    Attributes:
        pid: The process that the platform started, and sends its signals to.
        started: When the platform was last told to start it, in the host's time zone.
        restarts: How often the platform has started it again by itself since then.
    """

    pid: int
    started: datetime
    restarts: int


@dataclass(frozen=True)
class Process:
    """A process of the application.

    Attributes:
        pid: Its id.
        name: Of its program, at most 15 characters.
        catches_sigterm: Whether it has a handler for SIGTERM.
        memory: Bytes that it holds in memory.
        cpu_seconds: What it has used of the processor since it was started.
        children: The processes that it started.
    """

    pid: int
    name: str
    catches_sigterm: bool
    memory: int
    cpu_seconds: float
    children: tuple[Process, ...] = ()

    def all(self) -> list[Process]:
        """Itself and all below it."""
        return [self, *(each for child in self.children for each in child.all())]


@dataclass(frozen=True)
class HostFacts:
    """The machine, as far as the application may use it.

    Attributes:
        cores: How many the application may run on.
        memory: Bytes.
    """

    cores: int
    memory: int


@dataclass(frozen=True)
class Build:
    """A build of a release. ``seconds`` is wall time; ``log`` says where its output is."""

    release: str
    started: datetime
    seconds: float
    succeeded: bool
    log: str


@dataclass(frozen=True)
class LogLine:
    """A line as it was written: it may hold a secret, so mask it before it is shown.

    Attributes:
        text: Without the line's end.
        time: When it was written, where that is known.
    """

    text: str
    time: datetime | None


@dataclass(frozen=True)
class Log:
    """Lines of the application's log, oldest first.

    Attributes:
        where: Where they were read.
        lines: At most a few MiB of them.
        complete: Whether none of those that were asked for is missing.
    """

    where: str
    lines: Sequence[LogLine]
    complete: bool


class Platform(Protocol):
    """What checks ask of whatever runs the application."""

    def settings(self) -> Settings:
        """How it is told to run the application."""

    def health_check_path(self) -> str | None:
        """The path that it asks before it calls a release healthy; None: it asks none."""

    def limits(self) -> Sequence[Limit]:
        """What the application may use at most, one for each `Resource`."""

    def running(self) -> Running:
        """The release that runs."""

    def processes(self) -> Process:
        """The process that the platform started, with all below it."""

    def host(self) -> HostFacts:
        """The machine beneath."""

    def log_of_running(self) -> Log:
        """What the running release has written since it was started."""

    def log_end(self) -> str:
        """A mark at the present end of the log."""

    def log_after(self, mark: str) -> Log:
        """What has been written since `log_end` gave this mark, also if the log was rotated in between."""

    def builds(self) -> Sequence[Build]:
        """The latest builds, oldest first."""
