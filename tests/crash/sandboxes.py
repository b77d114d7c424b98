"""Projects for crash cases, and what must hold after one.

A case costs what its own command does: `Warmed` puts a sandbox back to how it was ahead of any step of its first start
within a fraction of a second, and nothing is stopped politely that is thrown away anyway.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from runbooks.engine import audit, lease
from runbooks.sandbox.layout import Layout, prepare
from runbooks.sandbox.leftovers import leftovers, wait_for
from runbooks.sandbox.listening import sockets
from runbooks.sandbox.process_manager import shut_down
from runbooks.systems.store.folder import FolderStore
from tests.conftest import CHECKOUT, Shell, new_project
from tests.sandbox.servers import link_installed, open_folder

DRIVER = Path(__file__).with_name("driver.py")
VERIFY = ("release.verify", "--only", "health.database")

NOTHING = "nothing"
"""The stage of a project that was never started: not even PostgreSQL is unpacked."""
UNPACKED = "unpacked"
"""The stage of one with PostgreSQL unpacked, and nothing else."""
STOPPED = "stopped"
"""The stage of one whose sandbox was up once, and was stopped."""


def ahead_of(step: str) -> str:
    """The stage of a project whose first start has come to just ahead of this step, with nothing running."""
    return f"before:intent/{step}"


@dataclass
class Warmed:
    """One project whose sandbox can be put into any stage of its first start, again and again."""

    shell: Shell
    installed: Layout
    kept: Path
    """Where the stages are kept that were asked for before."""
    _stages: dict[str, Path] = field(default_factory=dict)

    def at(self, stage: str) -> Shell:
        """The project in this stage, without any run before; nothing of it runs."""
        if stage not in self._stages and stage not in (NOTHING, UNPACKED):
            self._make(stage)
        self._empty()
        if stage != NOTHING:
            link_installed(self.installed, prepare(self.shell.project))
        if stage in self._stages:
            _copy(self._stages[stage], self._sandbox)
        return self.shell

    @property
    def _sandbox(self) -> Path:
        return self.shell.project / "var" / "sandbox"

    def _make(self, stage: str) -> None:
        self.at(UNPACKED)
        if stage == STOPPED:
            succeeds(self.shell, "sandbox.up")
        else:
            killed_at(self.shell, stage, "sandbox.up")
        layout = prepare(self.shell.project)
        shut_down(layout)
        shutil.rmtree(layout.postgres_installs)
        place = self.kept / stage.replace("/", " ")
        _copy(self._sandbox, place)
        self._stages[stage] = place

    def _empty(self) -> None:
        kill_all(self.shell)
        shutil.rmtree(self.shell.project / "var", ignore_errors=True)


def _copy(folder: Path, place: Path) -> None:
    """With owners and modes: PostgreSQL's files are not root's."""
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", f"{folder}/.", str(place)], check=True)


@contextlib.contextmanager
def warmed_project(installed: Layout) -> Iterator[Warmed]:
    """A project for many crash cases, one after another."""
    with open_folder() as kept, open_folder() as folder:
        made = Warmed(new_project(folder, rehearsed=False), installed, kept)
        try:
            yield made
        finally:
            kill_all(made.shell)


@contextlib.contextmanager
def project(installed: Layout) -> Iterator[Shell]:
    """A project with PostgreSQL unpacked that was never started; it rehearses its load, so all its checks can pass."""
    with open_folder() as folder:
        shell = new_project(folder)
        try:
            link_installed(installed, prepare(folder))
            yield shell
        finally:
            kill_all(shell)


def kill_all(shell: Shell) -> None:
    """End whatever runs of a sandbox that nobody needs any more, as a power cut would.

    PostgreSQL is asked to end at once: its shared memory would outlive it.
    """
    layout = prepare(shell.project)
    asked = []
    for process in leftovers(layout):
        with contextlib.suppress(psutil.Error):
            if "-D" in process.cmdline():
                process.send_signal(signal.SIGQUIT)
                asked.append(process)
    wait_for(asked, seconds=5)
    while found := leftovers(layout):
        for process in found:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        wait_for(found, seconds=10)


def killed_at(shell: Shell, point: str, *words: str) -> None:
    """The command is killed at that point, and at no other."""
    done = subprocess.run(
        [sys.executable, str(DRIVER), point, "--", *words],
        cwd=CHECKOUT,
        env=shell.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, f"exit {done.returncode}, not killed\n{done.stdout}{done.stderr}"


def disturbed_at(shell: Shell, point: str, command: str, *words: str, code: int) -> str:
    """What was printed, where the shell does something at that point of the command; it ended with this exit code."""
    done = subprocess.run(
        [sys.executable, str(DRIVER), point, "--do", command, "--", *words],
        cwd=CHECKOUT,
        env=shell.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == code, f"{words}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def succeeds(shell: Shell, *words: str, code: int = 0, environment: Mapping[str, str] | None = None) -> str:
    """What the command printed; it ended with this exit code."""
    done = shell.invoke(*words, seconds=280, environment=environment)
    assert done.returncode == code, f"{words}: exit {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def only_run(shell: Shell, name: str) -> str:
    """The id of the newest run of this runbook."""
    runs = (shell.project / "var" / "runs" / "local").glob(f"*-{name}-*")
    return max(runs, key=lambda path: path.stat().st_mtime_ns).name


def nothing_runs(shell: Shell) -> None:
    """No process of the project's sandbox is left, and so no port."""
    layout = prepare(shell.project)
    assert [process.cmdline() for process in leftovers(layout)] == []
    assert sockets(layout) == []


def all_is_recorded(shell: Shell) -> None:
    """Every journal is intact, and nobody who lives holds the lease."""
    store = FolderStore(shell.project / "var" / "store" / "local")
    count, damage = audit.audit(shell.project / "var" / "runs" / "local", store)
    assert count > 0
    assert damage == []
    held, _ = lease.read(store)
    assert held is not None
    assert held.run == "" or held.holder_gone, "a read-only command does not take it, so a dead holder's name may stay"
