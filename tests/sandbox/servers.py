"""Layouts for tests that start real servers: PostgreSQL is unpacked once, then linked into each of them."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from runbooks.sandbox.layout import Layout, prepare
from runbooks.sandbox.leftovers import leftovers
from runbooks.sandbox.postgres_install import install_folder
from runbooks.sandbox.process_manager import shut_down
from runbooks.sandbox.program import Program

IN_MEMORY = Path("/dev/shm")
ROOM = 4 << 30
"""Bytes: many times what the sandboxes of one test process hold at once."""


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """A temporary folder that root's service user can enter, which pytest's own is not.

    In memory where there is room: the thousands of small files of a database are copied there in a tenth of the time.
    """
    folder = Path(tempfile.mkdtemp(prefix="sandbox-", dir=IN_MEMORY if _takes_sandboxes(IN_MEMORY) else None)).resolve()
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@functools.cache
def _takes_sandboxes(folder: Path) -> bool:
    """Whether programs can be put there, and started."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    room = found.f_bavail * found.f_frsize
    return os.access(folder, os.W_OK) and not found.f_flag & os.ST_NOEXEC and room > ROOM


def link_installed(installed: Layout, layout: Layout) -> None:
    """Have PostgreSQL unpacked there too. Links, not symlinks: a process shows the path of its executable."""
    shutil.copytree(install_folder(installed), install_folder(layout), symlinks=True, copy_function=os.link)


@contextlib.contextmanager
def fresh_layout(installed: Layout | None = None) -> Iterator[Layout]:
    """A sandbox of its own; for root one whose checkout the service user can't enter. Nothing may be left of it."""
    with open_folder() as folder:
        project = folder / "project"
        project.mkdir(mode=0o700)
        layout = prepare(project, state_folder=folder / "state")
        if installed is not None:
            link_installed(installed, layout)
        try:
            yield layout
        finally:
            shut_down(layout)
            assert leftovers(layout) == []


def sleeper(name: str = "sleeper", seconds: int = 600, *, autorestart: bool = True, note: str = "") -> Program:
    """A program that costs nothing."""
    return Program(
        name=name,
        argv=["/bin/sleep", str(seconds)],
        environment={"NOTE": note},
        directory=Path("/"),
        autorestart=autorestart,
    )


@contextlib.contextmanager
def stranger(**options: object) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is none of the sandbox's business."""
    process = subprocess.Popen(["/bin/sleep", "600"], **options)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def is_running_as_root() -> bool:
    return os.geteuid() == 0


PYTHON = sys.executable
