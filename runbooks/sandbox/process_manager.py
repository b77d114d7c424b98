"""The sandbox's process manager: supervisord, which outlives the command that started it.

`ensure_manager` is the one way in and `shut_down` the one way out. Both can be repeated, and killed at any point.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from runbooks.engine.errors import Reason, RunbookError, SystemFault
from runbooks.engine.wait import until
from runbooks.sandbox import ports
from runbooks.sandbox.files import kept_password, locked, write_private
from runbooks.sandbox.layout import Layout
from runbooks.sandbox.leftovers import MARKER, clear_leftovers, wait_for
from runbooks.sandbox.program import DEFAULT_PATH, Program, configuration
from runbooks.systems.hosts.supervisor_rpc import Interface

USER = "runbooks"
SERVING = 1
"""supervisord's own state while it neither starts over nor shuts down."""


@dataclass(frozen=True)
class Manager:
    """The running process manager of a sandbox. Every method raises SystemFault if it can't be asked."""

    layout: Layout

    @property
    def interface(self) -> Interface:
        port = ports.recorded(self.layout).get(ports.SUPERVISOR)
        if port is None:
            msg = "the sandbox was never started"
            raise SystemFault(msg, reason=Reason.UNREACHABLE, where=str(self.layout.root))
        return Interface(port, USER, kept_password(self.layout.supervisor_client, "supervisor"))

    def alive(self) -> bool:
        """Whether it answers, and not with its own shutdown."""
        try:
            return bool(self.interface.call("getState", seconds=3)["statecode"] == SERVING)
        except SystemFault:
            return False

    def states(self) -> dict[str, str]:
        """Each program's state: STOPPED STARTING RUNNING BACKOFF STOPPING EXITED FATAL."""
        return {row["name"]: row["statename"] for row in self.interface.call("getAllProcessInfo")}

    def pid(self, name: str) -> int:
        """The program's process id; 0 if it is not running."""
        return int(self.interface.call("getProcessInfo", name)["pid"])

    def start(self, name: str) -> None:
        """Have it running. That is not ready: ask the server itself for that."""
        if self._state(name) not in {"STARTING", "RUNNING"}:
            # Waiting would mean supervisor's startsecs; a start that fails shows in the server's own readiness.
            self.interface.call("startProcess", name, False)

    def stop(self, name: str, *, seconds: float = 60) -> None:
        """Have it stopped, by its stop signal or, if that takes too long, by SIGKILL; it stays stopped."""
        self._ask_to_stop(name)
        until(
            lambda: self._state(name) in {"STOPPED", "EXITED", "FATAL"},
            seconds=seconds,
            what=f"{name} did not stop",
        )

    def restart(self, name: str) -> None:
        """Stop it, then start it."""
        self.stop(name)
        self.start(name)

    def reload(self, programs: Sequence[Program]) -> None:
        """Make these the programs: new ones start, changed ones restart, absent ones end, the others run on."""
        port = self.interface.port
        assert port is not None, "the sandbox's has one"
        _write_configuration(self.layout, programs, port)
        added, changed, removed = self.interface.call("reloadConfig")[0]
        for name in [*removed, *changed]:
            self._remove_group(name)
        for name in [*changed, *added]:
            self.interface.call("addProcessGroup", name)
        _forget_old_launch_files(self.layout, programs)

    def shut_down(self) -> None:
        """Stop all programs, those with the highest priority number first, and the manager itself."""
        rows = self.interface.call("getAllConfigInfo")
        for priority in sorted({int(row["process_prio"]) for row in rows}, reverse=True):
            names = [row["name"] for row in rows if int(row["process_prio"]) == priority]
            for name in names:  # all of one priority at once: together they take as long as the slowest
                self._ask_to_stop(name)
            for name in names:  # asking all the time: supervisord looks up only once a second while nobody calls
                self.stop(name)
        process = psutil.Process(self.interface.call("getPID"))
        self.interface.call("shutdown")
        wait_for([process], seconds=10)

    def _ask_to_stop(self, name: str) -> None:
        if self._state(name) in {"STARTING", "RUNNING", "BACKOFF"}:
            self.interface.call("stopProcess", name, False)

    def _state(self, name: str) -> str:
        return str(self.interface.call("getProcessInfo", name)["statename"])

    def _remove_group(self, name: str) -> None:
        if self._state(name) not in {"STOPPED", "EXITED", "FATAL"}:
            self.stop(name)
        self.interface.call("removeProcessGroup", name)


def ensure_manager(layout: Layout, programs: Sequence[Program]) -> Manager:
    """Have exactly these programs supervised. Idempotent; a program that was stopped on purpose stays so.

    A manager that does not answer is ended with everything that it left behind, and a new one started. A program
    that ended or that supervisord gave up is started again.

    Raises:
        SystemFault: it could not be started, or did not answer in time.
    """
    manager = Manager(layout)
    with locked(layout.supervisor_lock, seconds=120):
        if not manager.alive():
            clear_leftovers(layout)
            port = ports.ensure(layout, [ports.SUPERVISOR])[ports.SUPERVISOR]
            _write_configuration(layout, programs, port)
            _run_supervisord(layout)
            until(manager.alive, seconds=15, what="the process manager did not answer")
        manager.reload(programs)
        for name, state in manager.states().items():
            if state in {"EXITED", "FATAL"}:
                manager.start(name)
    return manager


def shut_down(layout: Layout) -> None:
    """Leave no process of the sandbox behind; whether it runs, has never run, or was killed."""
    manager = Manager(layout)
    with locked(layout.supervisor_lock, seconds=120):
        with contextlib.suppress(RunbookError):  # what can't be stopped in order is ended all the same
            if manager.alive():
                manager.shut_down()
        clear_leftovers(layout)


def _write_configuration(layout: Layout, programs: Sequence[Program], port: int) -> None:
    password = kept_password(layout.supervisor_client, "supervisor")
    for program in programs:
        write_private(program.launch_path(layout), program.launch_file(layout))
    text = configuration(layout, programs, port=port, user=USER, password=password)
    write_private(layout.supervisor_configuration, text)


def _forget_old_launch_files(layout: Layout, programs: Sequence[Program]) -> None:
    current = {program.launch_path(layout) for program in programs}
    for file in layout.programs.iterdir():
        if file not in current:
            file.unlink()


def _run_supervisord(layout: Layout) -> None:
    """Start it; it becomes a daemon by itself, so this returns when it has read its configuration."""
    argv = [sys.executable, "-I", "-m", "supervisor.supervisord", "-c", str(layout.supervisor_configuration)]
    variables = {"PATH": DEFAULT_PATH, "LC_ALL": "C.UTF-8", MARKER: str(layout.root)}
    try:
        done = subprocess.run(
            argv,
            check=False,
            cwd=layout.root,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=15,
        )
    except subprocess.TimeoutExpired as error:
        msg = "the process manager did not start within 15 s"
        raise SystemFault(msg, reason=Reason.TIMED_OUT, where=str(layout.supervisor_log)) from error
    if done.returncode != 0:
        raise SystemFault(
            "the process manager did not start",
            reason=Reason.FAILED,
            where=str(layout.supervisor_log),
            found=(done.stderr or done.stdout).strip()[-500:],
        )
