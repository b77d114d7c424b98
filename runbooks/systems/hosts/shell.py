"""Runs the commands of `slot_commands` on a host, and says what became of them."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from runbooks.engine.errors import LeaseLost, Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.hosts import commands, slot_commands, slot_files
from runbooks.systems.hosts.access import Access
from runbooks.systems.hosts.runner import Done
from runbooks.systems.platform.hosting import Release

LOG_LINES = 15
"""Of what a command printed, in an error."""


@dataclass(frozen=True)
class Shell:
    """One host and the folder there."""

    access: Access
    root: str

    @property
    def where(self) -> str:
        """The folder and the host, for errors."""
        return f"{self.root} on {self.access.name}"

    def folder(self, release: Release) -> str:
        """A release's folder there."""
        return f"{self.root}/releases/{release.id}"

    def end_of(self, file: str) -> str:
        """The last lines of a file there; empty if it can't be read."""
        return self.access.run(commands.last_lines(file, LOG_LINES)).text

    def fenced(self, argv: commands.Argv, what: str, *, data: Iterable[bytes] = (), seconds: float = 45) -> Done:
        """A change, done.

        Args:
            what: What could not be done if it fails, as a sentence.

        Raises:
            LeaseLost: the host has seen a newer token.
            SystemFault: it failed.
        """
        done = self.access.send(argv, data, seconds=seconds)
        if done.status == 0:
            return done
        if done.status == slot_commands.FENCED:
            raise self.claimed_by(done.errors.strip())
        found = {
            slot_commands.BUSY: "another command holds its lock",
            slot_commands.MISSING: "the release, or what lies in the slot, is not whole",
            slot_commands.OTHER: "one of them lies in a slot",
        }.get(done.status, "")
        raise self.failed(what, self.root, found or done.errors, done)

    def tied(self, release: Release, argv: Sequence[str], variables: Mapping[str, Secret], seconds: float) -> Done:
        """A program in a release's folder, ended, whatever its exit status; it ends with us."""
        marker = secrets.token_hex(16)
        head = slot_files.variables(variables) + f"{marker}\n".encode()
        command = slot_commands.tied(marker, argv, self.folder(release))
        return self.access.send(command, [head], seconds=max(seconds, 1), hold=True)

    def claimed_by(self, token: str) -> LeaseLost:
        """The error of whoever comes with an older token than this."""
        return LeaseLost(
            "a newer run has claimed this host, so nothing more is changed there",
            where=self.where,
            found=f"fencing token {token}",
            mend="find out who took over: invoke lease.show, invoke runs.list. "
            f"If the store was begun anew, so that its tokens are small again: remove {self.root}/fence there",
        )

    def failed(self, what: str, where: str, text: str, done: Done) -> SystemFault:
        """The fault of a command that failed, with the last lines of what it printed."""
        lines = "\n".join(text.strip().splitlines()[-LOG_LINES:])
        mend = "make room there, or keep fewer releases: platform.hosts.keep" if "No space left" in text else ""
        return SystemFault(
            what,
            reason=Reason.FAILED,
            where=f"{where} on {self.access.name}",
            found=lines or f"exit status {done.status}",
            mend=mend,
        )
