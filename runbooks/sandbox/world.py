"""The sandbox as its runbooks and faults handle it: servers, releases and environments that belong together."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbooks.engine.errors import InputError, SystemFault
from runbooks.engine.redact import Redactor
from runbooks.engine.wait import until
from runbooks.environment.sensitive import sensitive
from runbooks.sandbox import (
    disposal,
    environments,
    ports,
    provider_accounts,
    releases,
    service,
    slots,
    variable_copies,
)
from runbooks.sandbox.connections import Connections
from runbooks.sandbox.environments import ENVIRONMENTS
from runbooks.sandbox.files import read_state, update_state
from runbooks.sandbox.layout import Layout, locate, prepare
from runbooks.sandbox.leftovers import leftovers
from runbooks.sandbox.listening import sockets
from runbooks.sandbox.people import write_people
from runbooks.sandbox.process_manager import Manager, ensure_manager
from runbooks.sandbox.program import Program
from runbooks.sandbox.servers import SERVERS, programs
from runbooks.sandbox.timer import program as timer_program
from runbooks.systems.http.client import HttpClient
from runbooks.systems.platform.hosting import Slot
from runbooks.systems.secrets.dotenv import DotenvSource

if TYPE_CHECKING:
    from collections.abc import Iterator

STARTED = ("STARTING", "RUNNING")
"""The process manager calls a program RUNNING only after a second; whether it answers is asked of itself."""


@dataclass(frozen=True)
class Sandbox(Connections):
    """One sandbox, running or not. What it reads of its environments' secrets, its redactor masks from then on."""

    project: Path
    layout: Layout
    redactor: Redactor = field(default_factory=Redactor, compare=False)

    @classmethod
    def of(cls, project: Path, redactor: Redactor | None = None) -> Sandbox:
        """The sandbox of a checkout. Where there is none yet, nothing is made: a plan must leave no trace."""
        there = os.path.lexists(project / "var" / "sandbox")
        return cls(project, prepare(project) if there else locate(project), redactor or Redactor())

    def make_folders(self) -> None:
        """Have the folders that everything else is kept in, and what a killed reset did not delete gone."""
        prepare(self.project)
        disposal.finish(self.layout)

    @cached_property
    def manager(self) -> Manager:
        return Manager(self.layout)

    def numbers(self) -> dict[str, int]:
        """The ports by name, as they were chosen.

        Raises:
            InputError: none were yet.
        """
        numbers = ports.recorded(self.layout)
        if not set(self._port_names()) <= set(numbers):
            raise InputError("the sandbox was never started", where=str(self.layout.root), mend="invoke sandbox.up")
        return numbers

    def choose_ports(self) -> dict[str, int]:
        """The ports by name, chosen on first use, and anew where a stranger has taken one."""
        return ports.ensure(self.layout, self._port_names())

    def _port_names(self) -> list[str]:
        servers = [port for server in SERVERS for port in (server.name, *server.more_ports)]
        applications = [port for name in ENVIRONMENTS for port in slots.programs(name)]
        return [ports.SUPERVISOR, *servers, *applications]

    def active_program(self, name: str) -> str:
        """The program of the environment's active slot."""
        return slots.program(self.layout, name)

    def port(self, name: str) -> int:
        """The port on which the environment's application listens that answers requests."""
        return self.numbers()[self.active_program(name)]

    def servers(self) -> list[Program]:
        """What runs beneath the applications. Unpacks and initialises it on first use."""
        return programs(self.layout, self.numbers())

    def applications(self) -> list[Program]:
        """Both slots of each environment, as far as a release has been placed there."""
        placed = [name for name in ENVIRONMENTS if self.layout.release(name).exists()]
        return [service.program(self.layout, name, slot) for name in placed for slot in Slot]

    def manage_servers(self) -> None:
        """Have the servers supervised, and those applications that already are.

        An application must not start ahead of its database: it would migrate while the extensions are being created.
        """
        known = self.manager.states() if self.manager.alive() else {}
        kept = [each for each in (*self.applications(), timer_program(self.project)) if each.name in known]
        ensure_manager(self.layout, [*self.servers(), *kept])

    def manage(self) -> None:
        """Have everything supervised."""
        ensure_manager(self.layout, [*self.servers(), *self.applications(), timer_program(self.project)])

    def variables(self, name: str) -> dict[str, str]:
        """The variables that the environment is deployed with."""
        variables = DotenvSource(self.layout.variables(name)).load()
        self.redactor.add(*sensitive(variables))
        return {key: secret.reveal() for key, secret in variables.items()}

    def write_variables(self) -> None:
        """Write every environment's variables as they should be with the ports, releases and faults of now."""
        for name in ENVIRONMENTS:
            environments.write_variables(self.layout, name, self.numbers(), self.deployed(name).get("commit", ""))
            self.variables(name)  # masked from here on, also in what a failing command prints
            variable_copies.back_up(self.project, self.layout, name)
        provider_accounts.write_accounts(self.layout)

    def write_people(self) -> None:
        """Have what each environment's people wrote down be there, and not expired."""
        for name in ENVIRONMENTS:
            write_people(self.layout, name)

    def deployed(self, name: str) -> dict[str, Any]:
        """See `releases.deployed`."""
        return releases.deployed(self.layout, name)

    def run_in_release(self, name: str, *arguments: str, seconds: float = 60) -> str:
        """Run a Python module of the environment's release with its variables; see `releases.run`."""
        return releases.run(self.layout, name, arguments, self.variables(name), seconds)

    def http(self, name: str) -> HttpClient:
        """The environment's application."""
        return HttpClient(f"http://{ports.LOOPBACK}:{self.port(name)}")

    def answers(self, name: str) -> bool:
        """Whether the environment's application answers at all; what it answers is for the checks to judge."""
        try:
            with self.http(name) as application:
                application.get("/health", seconds=5)
        except SystemFault:
            return False
        return True

    def wait_until_it_answers(self, name: str, *, seconds: float = 45) -> None:
        """Return once the environment's application answers.

        Raises:
            SystemFault: it did not in time; says where its log is.
        """
        program = self.active_program(name)
        try:
            until(lambda: self.answers(name), seconds=seconds, what=f"the application of {name} does not answer")
        except SystemFault as fault:
            injected = self.faults()
            raise SystemFault(
                fault.what,
                reason=fault.reason,
                where=str(self.layout.log(program)),
                found=", ".join(f"the fault {each} is injected" for each in injected) or fault.found,
                mend="invoke sandbox.mend" if injected else f"read {self.layout.log(program)}",
            ) from fault

    def runs_what_is_placed(self, name: str) -> bool:
        """Whether the application that runs is the release that was placed last, and not one from before a kill."""
        import psutil

        try:
            running = psutil.Process(self.manager.pid(self.active_program(name))).cwd()
        except (psutil.Error, SystemFault):
            return False
        return Path(running) == self.layout.release(name).resolve()

    def restart(self, name: str) -> None:
        """Start the environment's application anew, with the variables and the release of now."""
        self.write_variables()
        self.manage()
        self.fill(name)
        program = self.active_program(name)
        self.manager.stop(program)
        self.manager.start(program)
        self.wait_until_it_answers(name)

    def start_application(self, name: str) -> None:
        """Have the environment's application running with the variables and the release of now."""
        self.fill(name)
        program = self.active_program(name)
        if self.manager.pid(program) and slots.outdated(self.layout, name, self.manager.pid(program)):
            self.manager.stop(program)
        self.manager.start(program)

    def fill(self, name: str) -> None:
        """Have the environment's active slot start with the variables and the release of now."""
        slots.fill(self.layout, name, self.variables(name))

    def deploy(self, name: str, revision: str = "v1", fault: str | None = None) -> None:
        """Run another release, or another build of one."""
        releases.place(self.layout, name, revision, fault)
        self.restart(name)

    def set_variable(self, name: str, variable: str, value: str | None) -> None:
        """Change a variable of the environment; None unsets it. Takes effect with the next restart."""
        overrides = read_state(self.layout).get(environments.OVERRIDES, {})
        overrides = overrides | {name: overrides.get(name, {}) | {variable: value}}
        update_state(self.layout, environments.OVERRIDES, overrides)
        self.write_variables()

    def forget_variable(self, name: str, variable: str) -> None:
        """Give a variable its usual value back."""
        overrides = read_state(self.layout).get(environments.OVERRIDES, {})
        kept = {key: value for key, value in overrides.get(name, {}).items() if key != variable}
        update_state(self.layout, environments.OVERRIDES, overrides | {name: kept})
        self.write_variables()

    @contextmanager
    def stopped(self, name: str) -> Iterator[None]:
        """The environment's application is stopped during the block, and answers again after it."""
        program = self.active_program(name)
        if program in self.manager.states():
            self.manager.stop(program)
        try:
            yield
        finally:
            self.manage()
            self.fill(name)
            self.manager.start(program)
            self.wait_until_it_answers(name)

    def running(self) -> bool:
        """Whether the process manager has all of it running."""
        if not self.manager.alive():
            return False
        wanted = {*(server.name for server in SERVERS), *map(self.active_program, ENVIRONMENTS)}
        states = self.manager.states()
        return all(states.get(each) in STARTED for each in wanted)

    def start_servers(self, *, seconds: float = 60) -> None:
        """Start the process manager, or have it start what is missing, and wait until each server really answers."""
        self.manage_servers()
        numbers, deadline = self.numbers(), time.monotonic() + seconds
        for server in SERVERS:
            self.manager.start(server.name)
        for server in SERVERS:
            server.ready(self.layout, numbers, max(deadline - time.monotonic(), 5))

    def servers_answer(self) -> bool:
        """Whether all servers run and answer now."""
        states = self.manager.states() if self.manager.alive() else {}
        if any(states.get(server.name) not in STARTED for server in SERVERS):
            return False
        return all(server.answers(self.layout, self.numbers()) for server in SERVERS)

    def applications_answer(self) -> bool:
        """Whether each environment's application answers, as the release that was placed."""
        return all(self.answers(name) and self.runs_what_is_placed(name) for name in ENVIRONMENTS)

    def well(self) -> bool:
        """Whether all of it runs and answers. The process manager alone can't tell: it calls a start a run."""
        return self.running() and self.servers_answer() and self.applications_answer()

    def nothing_left(self) -> bool:
        """Whether no process and no port of the sandbox is left."""
        return not leftovers(self.layout) and not sockets(self.layout)

    def faults(self) -> list[str]:
        """The faults that are injected now."""
        return list(read_state(self.layout).get("faults", []))

    def require_running(self) -> None:
        """Raises InputError if the sandbox does not run."""
        if not self.running():
            raise InputError("the sandbox does not run", where=str(self.layout.root), mend="invoke sandbox.up")
