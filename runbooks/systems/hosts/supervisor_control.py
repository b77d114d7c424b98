"""Starts and stops the slots' programs, NAME-blue and NAME-green, by supervisor's own interface."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.wait import until
from runbooks.systems.hosts import commands
from runbooks.systems.hosts.access import Access
from runbooks.systems.hosts.control import Process
from runbooks.systems.hosts.runner import output
from runbooks.systems.hosts.supervisor import Supervisor
from runbooks.systems.hosts.supervisor_rpc import Interface
from runbooks.systems.platform.hosting import Slot

STOPPED = ("STOPPED", "EXITED", "FATAL")


@dataclass(frozen=True)
class SupervisorControl:
    """The programs of the supervisor whose main configuration file this is."""

    access: Access
    file: str
    name: str

    def process(self, slot: Slot) -> Process:
        """See `Control.process`."""
        info = self._info(slot)
        state = str(info["statename"])
        return Process(
            pid=int(info["pid"]) or None,
            stays=state not in (*STOPPED, "STOPPING"),
            ended=state in ("BACKOFF", "FATAL", "EXITED"),
            state=state,
        )

    def start(self, slot: Slot) -> None:
        """See `Control.start`. Not waited for: it would wait for its ``startsecs``, whatever the program does."""
        if str(self._info(slot)["statename"]) in (*STOPPED, "STOPPING"):
            self._interface.call("startProcess", self.program(slot), False)

    def stop(self, slot: Slot, seconds: float) -> None:
        """See `Control.stop`."""
        if str(self._info(slot)["statename"]) not in (*STOPPED, "STOPPING"):
            self._interface.call("stopProcess", self.program(slot), False)
        until(
            lambda: str(self._info(slot)["statename"]) in STOPPED,
            seconds=seconds,
            what=f"{self.program(slot)} did not stop",
        )

    def tail(self, slot: Slot, lines: int) -> str:
        """See `Control.tail`."""
        path = str(self._info(slot)["stdout_logfile"])
        what = "the slot's log can't be read"
        return output(self.access, commands.last_lines(path, lines), what, path).text

    def program(self, slot: Slot) -> str:
        """The name of the slot's program."""
        return f"{self.name}-{slot}"

    def _info(self, slot: Slot) -> dict[str, Any]:
        try:
            return dict(self._interface.call("getProcessInfo", self.program(slot)))
        except SystemFault as fault:
            if fault.reason is not Reason.REFUSED:
                raise
            mend = f"configure one program for each slot: {self.program(slot)}; then supervisorctl update"
            what = f"supervisor runs no program {self.program(slot)}"
            raise SystemFault(what, reason=Reason.BAD_ANSWER, where=self.access.name, mend=mend) from fault

    @cached_property
    def _interface(self) -> Interface:
        return Supervisor(self.access, self.file, self.name).interface
