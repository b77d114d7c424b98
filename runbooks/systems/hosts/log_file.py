"""A log that a process manager writes to a file and rotates to ``FILE.1``. Reads are bounded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.hosts import commands
from runbooks.systems.hosts.log_lines import lines, written_since
from runbooks.systems.hosts.runner import Runner, output
from runbooks.systems.platform.port import Log

MOST = 4 * 1024 * 1024
"""Bytes that are read of one file."""


@dataclass(frozen=True)
class LogFile:
    """The file, on the host that the runner reaches.

    Attributes:
        runner: Reaches the host.
        path: Of the file that is written now.
        zone: The host's time zone, asked when it is needed.
    """

    runner: Runner
    path: str
    zone: Callable[[], tzinfo]

    @property
    def where(self) -> str:
        return f"{self.path} on {self.runner.name}"

    def end(self) -> str:
        """A mark at the present end: inode and size."""
        inode, size = self._identity(self.path)
        return f"{inode} {size}"

    def after(self, mark: str) -> Log:
        """What was written since the mark, across one rotation."""
        inode, begin = (int(part) for part in mark.split())
        now, size = self._identity(self.path)
        if now == inode and size >= begin:
            return self._log(self._part(self.path, begin, size), complete=size - begin <= MOST)
        rest, complete = "", False
        before = self._backup()
        if before and before[0] == inode:
            rest, complete = self._part(self._older, begin, before[1]), before[1] - begin <= MOST
        return self._log(rest + self._part(self.path, 0, size), complete=complete and size <= MOST)

    def since(self, moment: datetime) -> Log:
        """What was written from a moment on, as far back as the file and its last backup reach."""
        _, size = self._identity(self.path)
        text = self._last(self.path, size)
        found, reached = written_since(lines(text, self.zone()), moment)
        backup = None if reached or size > MOST else self._backup()
        if backup:
            text = self._last(self._older, backup[1]) + text
            found, reached = written_since(lines(text, self.zone()), moment)
        whole = size <= MOST and not backup
        return Log(self.where, found, complete=reached or whole)

    @property
    def _older(self) -> str:
        return f"{self.path}.1"

    def _identity(self, path: str) -> tuple[int, int]:
        done = output(self.runner, commands.identity(path), "the log can't be found", path, "see platform.service")
        inode, size = done.text.split()
        return int(inode), int(size)

    def _backup(self) -> tuple[int, int] | None:
        try:
            return self._identity(self._older)
        except SystemFault as fault:
            if fault.reason is Reason.UNAUTHORISED:
                raise
            return None

    def _last(self, path: str, size: int) -> str:
        """The last `MOST` bytes, from the beginning of a line."""
        begin = max(size - MOST, 0)
        text = self._part(path, begin, size)
        return text.partition("\n")[2] if begin else text

    def _part(self, path: str, begin: int, end: int) -> str:
        """The bytes between two places; those that are too many are left out at the end."""
        length = min(end - begin, MOST)
        if length <= 0:
            return ""
        return output(self.runner, commands.part(path, begin, length), "the log can't be read", path).text

    def _log(self, text: str, *, complete: bool) -> Log:
        return Log(self.where, lines(text, self.zone()), complete)
