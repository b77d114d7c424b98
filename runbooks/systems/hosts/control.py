"""What starts and stops the slots of a host: the process manager, whichever that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from runbooks.systems.platform.hosting import Slot


@dataclass(frozen=True, slots=True)
class Process:
    """What a process manager knows of a slot's program.

    Attributes:
        pid: The process; None: none runs now.
        stays: Whether it is started again by itself: it was started and not stopped.
        ended: Whether it has ended by itself since it was last started on purpose, whatever became of it then.
        state: The manager's own word for it.
    """

    pid: int | None
    stays: bool
    ended: bool
    state: str


class Control(Protocol):
    """A process manager that runs one program, or unit, for each slot. Raises SystemFault if it can't be asked."""

    def process(self, slot: Slot) -> Process:
        """What it knows of the slot's program."""

    def start(self, slot: Slot) -> None:
        """Have it started, now and after a reboot. That is not ready."""

    def stop(self, slot: Slot, seconds: float) -> None:
        """Have it stopped, also after a reboot, and return once it is.

        Raises:
            SystemFault: TIMED_OUT.
        """

    def tail(self, slot: Slot, lines: int) -> str:
        """The last lines of what it wrote."""
