"""The platform port, answered by a host and its process manager."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.hosts import builds, commands, machine
from runbooks.systems.hosts.manager import Manager
from runbooks.systems.hosts.runner import Runner, output
from runbooks.systems.platform.port import Build, HostFacts, Limit, Log, Process, Running, Settings


@dataclass(frozen=True)
class Host:
    """One machine that runs the application.

    Attributes:
        runner: Reaches it.
        manager: Keeps the application running there.
        records: The file of its build records; None if it keeps none.
    """

    runner: Runner
    manager: Manager
    records: str | None

    def settings(self) -> Settings:
        return self.manager.settings()

    def health_check_path(self) -> str | None:
        """What the running release's railway.json says, which is deployed by on hosts too."""
        path = f"{machine.working_folder(self.runner, self.running().pid)}/railway.json"
        text = output(self.runner, commands.content(path), "the platform's settings can't be read", path).text
        try:
            value = json.loads(text).get("deploy", {}).get("healthcheckPath")
        except (ValueError, AttributeError) as error:
            what = "the platform's settings can't be read"
            raise SystemFault(what, reason=Reason.BAD_ANSWER, where=path, found=repr(error)) from error
        return None if value is None else str(value)

    def limits(self) -> Sequence[Limit]:
        pid = self.running().pid
        return (self.manager.memory(pid), machine.open_files(self.runner, pid))

    def running(self) -> Running:
        return self.manager.running()

    def processes(self) -> Process:
        return machine.processes(self.runner, self.running().pid)

    def host(self) -> HostFacts:
        return machine.facts(self.runner, self.running().pid)

    def log_of_running(self) -> Log:
        return self.manager.log_of_running()

    def log_end(self) -> str:
        return self.manager.log_end()

    def log_after(self, mark: str) -> Log:
        return self.manager.log_after(mark)

    def builds(self) -> Sequence[Build]:
        if self.records is None:
            raise SystemFault(
                "it is not known where builds are recorded",
                reason=Reason.UNREACHABLE,
                where="platform.service",
                mend="declare platform.service.builds",
            )
        what = "the build records can't be read"
        argv = commands.last_lines(self.records, builds.LATEST)
        return builds.parse(output(self.runner, argv, what, self.records).text, self.records)
