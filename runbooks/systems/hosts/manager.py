"""What a host asks of its process manager, whichever that is."""

from __future__ import annotations

from typing import Protocol

from runbooks.systems.platform.port import Limit, Log, Running, Settings


class Manager(Protocol):
    """A process manager, asked about one program or unit."""

    def settings(self) -> Settings:
        """See `Platform.settings`."""

    def running(self) -> Running:
        """See `Platform.running`."""

    def memory(self, pid: int) -> Limit:
        """What memory the application may use, and what it uses."""

    def log_of_running(self) -> Log:
        """See `Platform.log_of_running`."""

    def log_end(self) -> str:
        """See `Platform.log_end`."""

    def log_after(self, mark: str) -> Log:
        """See `Platform.log_after`."""
