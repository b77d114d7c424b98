"""The sandbox as its runbooks and faults handle it: servers, releases and environments that belong together."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.redact import Redactor
from runbooks.engine.wait import until
from runbooks.environment.sensitive import sensitive
from runbooks.sandbox import environments, ports, postgres_server, provider_server, valkey_server
from runbooks.sandbox.environments import ENVIRONMENTS
from runbooks.sandbox.files import locked, read_state, update_state
from runbooks.sandbox.layout import Layout, locate, prepare
from runbooks.sandbox.leftovers import MARKER, leftovers
from runbooks.sandbox.listening import sockets
from runbooks.sandbox.process_manager import Manager, ensure_manager
from runbooks.sandbox.program import DEFAULT_PATH, Program
from runbooks.systems.http.client import HttpClient
from runbooks.systems.secrets.dotenv import DotenvSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg
    import redis

FIRST_RELEASE = "v1"
STARTED = ("STARTING", "RUNNING")
"""The process manager calls a program RUNNING only after a second; whether it answers is asked of itself."""

RELEASES = "releases"
"""The entry of the sandbox's state that says of each commit which release it is, and built with which fault."""


@dataclass(frozen=True)
class Sandbox:
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
        shutil.rmtree(self._thrown_away, ignore_errors=True)

    def delete(self) -> None:
        """Throw away all that the sandbox holds: at once, then bit by bit, so that nobody ever meets a half."""
        shutil.rmtree(self._thrown_away, ignore_errors=True)
        if self.layout.root.exists():
            self.layout.root.rename(self._thrown_away)
            shutil.rmtree(self._thrown_away)

    def empty(self) -> bool:
        """Whether nothing is kept any more."""
        return not self._thrown_away.exists() and not any(path.is_file() for path in self.layout.root.rglob("*"))

    @property
    def _thrown_away(self) -> Path:
        return self.layout.root.with_name(f".{self.layout.root.name}.thrown-away")

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
        servers = [ports.POSTGRES, ports.VALKEY, ports.SUPERVISOR, ports.PROVIDER]
        return [*servers, *map(ports.application, ENVIRONMENTS)]

    def servers(self) -> list[Program]:
        """What runs beneath the applications. Unpacks and initialises it on first use."""
        numbers = self.numbers()
        return [
            postgres_server.prepare(self.layout, numbers[ports.POSTGRES]),
            valkey_server.prepare(self.layout, numbers[ports.VALKEY]),
            provider_server.prepare(self.layout, numbers[ports.PROVIDER]),
        ]

    def applications(self) -> list[Program]:
        """Each environment's application, as far as a release has been placed there."""
        return [self.application(name) for name in ENVIRONMENTS if self.layout.release(name).exists()]

    def application(self, name: str) -> Program:
        """The environment's application, started as its own release says."""
        release = self.layout.release(name).resolve()
        command = json.loads((release / "railway.json").read_text())["deploy"]["startCommand"]
        return Program(
            name=ports.application(name),
            argv=shlex.split(command),
            environment={**self.variables(name), **_python_path()},
            directory=release,
            priority=50,
            watched=[self.layout.variables(name)],
        )

    def manage_servers(self) -> None:
        """Have the servers supervised, and those applications that already are.

        An application must not start ahead of its database: it would migrate while the extensions are being created.
        """
        known = self.manager.states() if self.manager.alive() else {}
        ensure_manager(self.layout, [*self.servers(), *(each for each in self.applications() if each.name in known)])

    def manage(self) -> None:
        """Have everything supervised."""
        ensure_manager(self.layout, [*self.servers(), *self.applications()])

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
        provider_server.write_accounts(self.layout)

    def deployed(self, name: str) -> dict[str, Any]:
        """``revision``, ``fault`` and ``commit`` of the release that the environment runs; empty before the first."""
        try:
            commit = self.layout.release(name).readlink().name
        except OSError:
            return {}
        known = read_state(self.layout).get(RELEASES, {}).get(commit)
        return {} if known is None else {**known, "commit": commit}

    def place(self, name: str, revision: str, fault: str | None) -> None:
        """Put a release where the environment's application is started from.

        The symlink alone says which one that is; a kill at any point leaves the one before or the new one.
        """
        with locked(self.layout.root / ".releases.lock", seconds=120):
            commit = self._checked_out(revision, fault)
            known = read_state(self.layout).get(RELEASES, {})
            update_state(self.layout, RELEASES, known | {commit: {"revision": revision, "fault": fault}})
            link = self.layout.release(name)
            new = link.with_name(".release.new")
            new.unlink(missing_ok=True)
            new.symlink_to(self.layout.releases / commit)
            new.replace(link)

    def _checked_out(self, revision: str, fault: str | None) -> str:
        """Have the release's folder, whole; its commit. What an earlier, killed attempt left is cleared away."""
        from runbooks.sandbox import repository

        for scratch in (*self.layout.releases.glob(".?*"), *self.layout.root.glob(".repository-*")):
            shutil.rmtree(scratch, ignore_errors=True)
        repository.build(self.layout.repository)
        with tempfile.TemporaryDirectory(prefix=".", dir=self.layout.releases) as folder:
            tree = Path(folder, "tree")
            commit = repository.checkout(self.layout.repository, revision, tree, fault)
            if not (self.layout.releases / commit).exists():
                tree.rename(self.layout.releases / commit)
        return commit

    def run_in_release(self, name: str, *arguments: str, seconds: float = 60) -> str:
        """Run a Python module of the environment's release with its variables; what it printed.

        It ends with us: a migration that went on after a kill would meet the next command's.

        Raises:
            SystemFault: it failed, or did not end in time.
        """
        package = __package__.partition(".")[0]
        argv = [sys.executable, "-m", f"{package}.sandbox.tied", str(os.getpid()), *arguments]
        marked = {MARKER: str(self.layout.root)}
        try:
            done = subprocess.run(
                argv,
                cwd=self.layout.release(name).resolve(),
                env={**self.variables(name), **_python_path(), **marked},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            what = f"{' '.join(arguments)} did not end"
            raise SystemFault(what, reason=Reason.TIMED_OUT, where=name) from error
        if done.returncode != 0:
            raise SystemFault(
                f"{' '.join(arguments)} failed",
                reason=Reason.FAILED,
                where=str(self.layout.release(name)),
                found=(done.stderr or done.stdout).strip()[-500:],
            )
        return done.stdout

    def http(self, name: str) -> HttpClient:
        """The environment's application."""
        return HttpClient(f"http://{ports.LOOPBACK}:{self.numbers()[ports.application(name)]}")

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
        program = ports.application(name)
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
            running = psutil.Process(self.manager.pid(ports.application(name))).cwd()
        except (psutil.Error, SystemFault):
            return False
        return Path(running) == self.layout.release(name).resolve()

    def restart(self, name: str) -> None:
        """Start the environment's application anew, with the variables and the release of now."""
        program = ports.application(name)
        before = self.manager.pid(program) if program in self.manager.states() else 0
        self.write_variables()
        self.manage()
        if before and self.manager.pid(program) == before:  # nothing that it is started with has changed
            self.manager.stop(program)
        self.manager.start(program)
        self.wait_until_it_answers(name)

    def deploy(self, name: str, revision: str = FIRST_RELEASE, fault: str | None = None) -> None:
        """Run another release, or another build of one."""
        self.place(name, revision, fault)
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
    def superuser(self, name: str | None = None) -> Iterator[psycopg.Connection]:
        """A superuser's connection to the environment's database, or to none in particular."""
        database = environments.database(name) if name else "postgres"
        with postgres_server.connect(self.layout, self.numbers()[ports.POSTGRES], database) as connection:
            yield connection

    @contextmanager
    def stopped(self, name: str) -> Iterator[None]:
        """The environment's application is stopped during the block, and answers again after it."""
        program = ports.application(name)
        if program in self.manager.states():
            self.manager.stop(program)
        try:
            yield
        finally:
            self.manage()
            self.manager.start(program)
            self.wait_until_it_answers(name)

    @contextmanager
    def valkey(self, name: str) -> Iterator[redis.Redis]:
        """A connection to the environment's Redis database."""
        import redis as library

        with library.Redis(
            host=ports.LOOPBACK,
            port=self.numbers()[ports.VALKEY],
            password=valkey_server.password(self.layout).reveal(),
            db=environments.REDIS_DATABASES[name],
            decode_responses=True,
        ) as client:
            yield client

    def forget_rate_limits(self, name: str = "local") -> None:
        """Clear what the application counts per client and hour."""
        with self.valkey(name) as client:
            client.flushdb()

    def running(self) -> bool:
        """Whether the process manager has all of it running."""
        if not self.manager.alive():
            return False
        wanted = {ports.POSTGRES, ports.VALKEY, ports.PROVIDER, *map(ports.application, ENVIRONMENTS)}
        states = self.manager.states()
        return all(states.get(each) in STARTED for each in wanted)

    def start_servers(self, *, seconds: float = 60) -> None:
        """Start the process manager, or have it start what is missing, and wait until each server really answers."""
        self.manage_servers()
        numbers = self.numbers()
        for name in (ports.POSTGRES, ports.VALKEY, ports.PROVIDER):
            self.manager.start(name)
        postgres_server.ready(self.layout, numbers[ports.POSTGRES], seconds=seconds)
        valkey_server.ready(self.layout, numbers[ports.VALKEY], seconds=min(seconds, 30))
        until(self._provider_answers, seconds=20, what="the provider's stand-in does not answer")

    def servers_answer(self) -> bool:
        """Whether all three servers run and answer now."""
        states = self.manager.states() if self.manager.alive() else {}
        if any(states.get(name) not in STARTED for name in (ports.POSTGRES, ports.VALKEY, ports.PROVIDER)):
            return False
        numbers = self.numbers()
        try:
            postgres_server.ready(self.layout, numbers[ports.POSTGRES], seconds=1)
            valkey_server.ready(self.layout, numbers[ports.VALKEY], seconds=1)
        except SystemFault:
            return False
        return self._provider_answers()

    def applications_answer(self) -> bool:
        """Whether each environment's application answers, as the release that was placed."""
        return all(self.answers(name) and self.runs_what_is_placed(name) for name in ENVIRONMENTS)

    def well(self) -> bool:
        """Whether all of it runs and answers. The process manager alone can't tell: it calls a start a run."""
        return self.running() and self.servers_answer() and self.applications_answer()

    def _provider_answers(self) -> bool:
        """Whether the provider refuses a request without a key, as the real one does."""
        url = f"http://{ports.LOOPBACK}:{self.numbers()[ports.PROVIDER]}"
        try:
            with HttpClient(url, seconds=2) as provider:
                return provider.get("/v1/models").status in (200, 401)
        except SystemFault:
            return False

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


def _python_path() -> Mapping[str, str]:
    """Lets a release's commands (``alembic``, ``uvicorn``) be found beside our own interpreter."""
    return {
        "PATH": f"{Path(sys.executable).parent}:{DEFAULT_PATH}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
    }
