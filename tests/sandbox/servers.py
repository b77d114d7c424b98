"""Layouts for tests that start real servers: PostgreSQL is unpacked once, then linked into each of them."""

from __future__ import annotations

import contextlib
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


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """A temporary folder that root's service user can enter, which pytest's own is not."""
    folder = Path(tempfile.mkdtemp(prefix="sandbox-")).resolve()
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def fresh_layout(installed: Layout | None = None) -> Iterator[Layout]:
    """A sandbox of its own; for root one whose checkout the service user can't enter. Nothing may be left of it."""
    with open_folder() as folder:
        project = folder / "project"
        project.mkdir(mode=0o700)
        layout = prepare(project, state_folder=folder / "state")
        if installed is not None:
            # Links, not symlinks: a process shows the path of its executable.
            shutil.copytree(install_folder(installed), install_folder(layout), symlinks=True, copy_function=os.link)
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
