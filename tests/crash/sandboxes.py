"""Projects for crash cases: a warmed one costs a few hard links, and nothing may be left of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from runbooks.engine import audit, lease
from runbooks.sandbox.layout import Layout, prepare
from runbooks.sandbox.leftovers import leftovers
from runbooks.sandbox.listening import sockets
from runbooks.sandbox.postgres_install import install_folder
from runbooks.sandbox.process_manager import shut_down
from runbooks.systems.store.folder import FolderStore
from tests.conftest import CHECKOUT, Shell, new_project
from tests.sandbox.servers import open_folder

DRIVER = Path(__file__).with_name("driver.py")
VERIFY = ("release.verify", "--only", "health.database")


@contextlib.contextmanager
def project(installed: Layout | None = None) -> Iterator[Shell]:
    """A project without a sandbox; with ``installed`` PostgreSQL is unpacked already."""
    with open_folder() as folder:
        shell = new_project(folder)
        try:
            if installed is not None:
                copy = install_folder(prepare(folder))
                shutil.copytree(install_folder(installed), copy, symlinks=True, copy_function=os.link)
            yield shell
        finally:
            shut_down(prepare(folder))


def killed_at(shell: Shell, point: str, *words: str) -> None:
    """The command is killed at that point, and at no other."""
    done = subprocess.run(
        [sys.executable, str(DRIVER), point, "--", *words],
        cwd=CHECKOUT,
        env=shell.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, f"exit {done.returncode}, not killed\n{done.stdout}{done.stderr}"


def succeeds(shell: Shell, *words: str, code: int = 0) -> str:
    """What the command printed; it ended with this exit code."""
    done = shell.invoke(*words)
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
