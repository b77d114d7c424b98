"""What keeps the application running on hosts, and what it may use there: tables of an inventory's ``[platform]``."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path


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
class Service:
    """The application as its process manager knows it.

    Attributes:
        manager: Which process manager.
        name: The program's name in supervisor, or systemd's unit.
        configuration: Supervisor's main configuration file; after loading absolute.
        builds: The file of build records, one JSON object a line; after loading absolute.
    """

    manager: ManagerKind
    name: str
    configuration: Path | None = None
    builds: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitBounds:
    """Between what the platform's limits of the application must lie: the lowest and the highest accepted.

    Attributes:
        memory_mib: Of memory, in MiB.
        open_files: Of open files.
    """

    memory_mib: tuple[int, int] | None = None
    open_files: tuple[int, int] | None = None
