"""Starts and stops the slots' units by ``systemctl``. A slot's unit is NAME@blue.service, NAME@green.service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.hosts import commands
from runbooks.systems.hosts.access import Access
from runbooks.systems.hosts.control import Process
from runbooks.systems.hosts.runner import Done, output
from runbooks.systems.hosts.systemd import properties
from runbooks.systems.platform.hosting import Slot

GONE = ("inactive", "failed")


@dataclass(frozen=True)
class SystemdControl:
    """The instances of one template unit.

    Attributes:
        sudo: Whether units are changed through ``sudo --non-interactive``; they are asked without.
    """

    access: Access
    name: str
    sudo: bool

    def process(self, slot: Slot) -> Process:
        """See `Control.process`."""
        unit = self.unit(slot)
        shown = output(self.access, commands.unit_state(unit), "systemd can't be asked", unit)
        return process(properties(shown.text, unit))

    def start(self, slot: Slot) -> None:
        """See `Control.start`."""
        self._change("start", slot, commands.start_unit(self.unit(slot), sudo=self.sudo), 60)

    def stop(self, slot: Slot, seconds: float) -> None:
        """See `Control.stop`."""
        self._change("stop", slot, commands.stop_unit(self.unit(slot), sudo=self.sudo), seconds)

    def tail(self, slot: Slot, lines: int) -> str:
        """See `Control.tail`."""
        unit = self.unit(slot)
        mend = "let this user read the journal: usermod --append --groups systemd-journal USER"
        return output(self.access, commands.journal_tail(unit, lines), "the journal can't be read", unit, mend).text

    def unit(self, slot: Slot) -> str:
        """The name of the slot's unit."""
        return f"{self.name}@{slot}.service"

    def _change(self, verb: str, slot: Slot, argv: commands.Argv, seconds: float) -> None:
        done = self.access.run(argv, seconds=seconds)
        if done.status != 0:
            raise self._fault(verb, slot, done)

    def _fault(self, verb: str, slot: Slot, done: Done) -> SystemFault:
        lines = done.errors.strip().splitlines()
        denied = any(words in done.errors for words in ("uthentication", "Access denied", "a password is required"))
        return SystemFault(
            f"systemd did not {verb} the slot",
            reason=Reason.UNAUTHORISED if denied else Reason.FAILED,
            where=f"{self.unit(slot)} on {self.access.name}",
            found=lines[-1] if lines else f"exit status {done.status}",
            mend="let the deploy's user do it: a rule of sudoers, and platform.hosts.sudo = true"
            if denied
            else f"journalctl --unit={self.unit(slot)}",
        )


def process(known: Mapping[str, str]) -> Process:
    """What systemd's properties come to."""
    state = known["ActiveState"]
    return Process(
        pid=int(known["MainPID"]) or None,
        stays=state not in GONE,
        ended=state == "failed" or known["SubState"] == "auto-restart" or int(known["NRestarts"]) > 0,
        state=f"{state} ({known['SubState']})",
    )
