"""A program that supervisor runs: its interface, its configuration files and its log."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cached_property
from typing import Any

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.hosts import commands, machine, proc
from runbooks.systems.hosts.log_file import LogFile
from runbooks.systems.hosts.log_lines import lines
from runbooks.systems.hosts.runner import Local, Runner, output
from runbooks.systems.hosts.supervisor_config import SupervisorConfig
from runbooks.systems.hosts.supervisor_log import Starts, starts
from runbooks.systems.hosts.supervisor_rpc import Interface
from runbooks.systems.platform.port import Limit, Log, Resource, RestartPolicy, Running, Settings, StopRule

EVENTS = 4000
"""Lines of supervisor's own log that are read."""


@dataclass(frozen=True)
class Supervisor:
    """One program of the supervisor whose main configuration file this is."""

    runner: Runner
    file: str
    program: str

    def settings(self) -> Settings:
        """Its restart policy from the files, the rest from the running supervisor, which may know older files."""
        policy = self._configuration.autorestart(self.program)
        known = self._known()
        return Settings(
            where=f"{self.file} on {self.runner.name}",
            restart=RestartPolicy(
                f"autorestart={policy}", policy in ("true", "unexpected"), int(known["startretries"])
            ),
            stop=StopRule(signal.Signals(int(known["stopsignal"])).name, float(known["stopwaitsecs"])),
        )

    def running(self) -> Running:
        """The process and its starts.

        Raises:
            SystemFault: it does not run.
        """
        info = self.interface.call("getProcessInfo", self.program)
        if not info["pid"]:
            raise SystemFault(
                f"{self.program} does not run",
                reason=Reason.FAILED,
                where=f"supervisor on {self.runner.name}",
                found=f"state {info['statename']}",
                mend="read its log",
            )
        known = self._starts()
        if known and known.pid == info["pid"]:
            return Running(known.pid, known.first, known.again)
        # Its own log was cut or lies elsewhere: then only the latest start is known.
        return Running(int(info["pid"]), datetime.fromtimestamp(int(info["start"]), self._zone()), 0)

    def memory(self, pid: int) -> Limit:
        """The process's own limit: supervisor sets none beyond it."""
        most = machine.process_limits(self.runner, pid).get("Max address space")
        used = proc.kilobytes(machine.process_status(self.runner, pid), "VmSize")
        return Limit(Resource.MEMORY, "RLIMIT_AS", most, used)

    def log_of_running(self) -> Log:
        """See `Platform.log_of_running`."""
        return self._log.since(self.running().started)

    def log_end(self) -> str:
        """See `Platform.log_end`."""
        return self._log.end()

    def log_after(self, mark: str) -> Log:
        """See `Platform.log_after`."""
        return self._log.after(mark)

    @cached_property
    def _configuration(self) -> SupervisorConfig:
        main = self._read(commands.content(self.file))
        configuration = SupervisorConfig.parse(self.file, main)
        patterns = configuration.included()
        if not patterns:
            return configuration
        return SupervisorConfig.parse(self.file, main, self._read(commands.contents(patterns)))

    def _read(self, argv: commands.Argv) -> str:
        what = "supervisor's configuration can't be read"
        return output(self.runner, argv, what, self.file, "see platform.service.configuration").text

    @cached_property
    def interface(self) -> Interface:
        """Supervisor's own interface.

        Raises:
            SystemFault: its configuration can't be read, or names none that can be reached from here.
        """
        address = self._configuration.address()
        connect = None if isinstance(self.runner, Local) else getattr(self.runner, "connect", None)
        if address.socket is not None and connect is not None:
            raise SystemFault(
                "supervisor listens at a file, which can't be reached over SSH",
                reason=Reason.UNREACHABLE,
                where=f"{address.socket} on {self.runner.name}",
                mend="give its configuration an [inet_http_server] on 127.0.0.1, with a username and a password",
            )
        return Interface(address.port, address.user, address.password, address.socket, connect)

    def _known(self) -> dict[str, Any]:
        for row in self.interface.call("getAllConfigInfo"):
            if row["name"] == self.program:
                return dict(row)
        raise SystemFault(
            f"supervisor runs no program {self.program}",
            reason=Reason.BAD_ANSWER,
            where=f"supervisor on {self.runner.name}",
            mend="correct platform.service.name, or run supervisorctl update",
        )

    @cached_property
    def _log(self) -> LogFile:
        path = str(self._known()["stdout_logfile"])
        if path in ("none", "auto", "syslog", ""):
            raise SystemFault(
                f"supervisor keeps no log file of {self.program} that can be found",
                reason=Reason.UNREACHABLE,
                where=self.file,
                found=f"stdout_logfile is {path or 'empty'}",
                mend="give it a stdout_logfile",
            )
        return LogFile(self.runner, path, self._zone)

    def _starts(self) -> Starts | None:
        path = self._configuration.own_log()
        if path is None:
            return None
        for older in (False, True):
            text = ""
            for each in [f"{path}.1", path] if older else [path]:
                done = self.runner.run(commands.last_lines(each, EVENTS))
                text += done.text if done.status == 0 else ""
            if known := starts(lines(text, self._zone()), self.program):
                return known
        return None

    def _zone(self) -> tzinfo:
        return machine.zone(self.runner)
