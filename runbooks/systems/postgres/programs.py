"""PostgreSQL's own programs: found by the server's major version, run with the password in a variable."""

from __future__ import annotations

import collections
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from runbooks.engine.errors import InputError, Reason, SystemFault

_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
_NEEDED = ("pg_dump", "pg_restore")
_LINES_KEPT = 20
_PAUSE = 0.05
"""Seconds between two looks whether the operator wants to stop."""

_TIED = """\
import ctypes, os, signal, sys
if sys.platform.startswith("linux"):
    ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != int(sys.argv[1]):
        sys.exit("started by a process that has ended")
os.execv(sys.argv[2], sys.argv[2:])
"""
"""Has the kernel end the program when we end by whatever means: pg_dump would otherwise go on filling the disk."""


@dataclass(frozen=True)
class Programs:
    """The folder of pg_dump and pg_restore, and their major version."""

    folder: Path
    major: int

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def environment(self, connection: Mapping[str, str]) -> dict[str, str]:
        """What a program is started with: how it connects, and nothing of ours that would steer it."""
        found = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC", **connection}
        libraries = self.folder.parent / "lib"
        if any(libraries.glob("libpq.so*")):
            found["LD_LIBRARY_PATH"] = str(libraries)
        return found


def find(major: int, declared: Path | None, *, search: str | None = None) -> Programs:
    """The programs for a server of this major version.

    A newer pg_dump writes archives that only a newer server takes, an older one refuses the server: it must be the
    same. It is looked for in the declared folder only, or else on the PATH and where distributions put it.

    Raises:
        InputError: none fits; the message names what was found.
    """
    seen: dict[str, str] = {}
    for folder in [declared] if declared else _usual(major, search):
        version = _version(folder)
        if version == major:
            return Programs(folder, major)
        seen[str(folder)] = f"{folder} has {version or 'none'}"
    raise InputError(
        f"pg_dump and pg_restore of PostgreSQL {major} are needed, the server's major version",
        where="backup.bin" if declared else "PATH",
        found="; ".join(seen.values()) or "none",
        mend=f"install postgresql-client-{major}, or declare its folder as backup.bin in the inventory",
    )


def _usual(major: int, search: str | None) -> Iterator[Path]:
    on_path = (search if search is not None else os.environ.get("PATH", os.defpath)).split(os.pathsep)
    yield from (Path(folder) for folder in on_path if folder and os.access(Path(folder) / "pg_dump", os.X_OK))
    for place in (
        f"/usr/lib/postgresql/{major}/bin",
        f"/usr/pgsql-{major}/bin",
        f"/opt/homebrew/opt/postgresql@{major}/bin",
    ):
        if os.access(Path(place) / "pg_dump", os.X_OK):
            yield Path(place)


def _version(folder: Path) -> int | None:
    """The major version of the programs there; None if one is missing or does not run."""
    majors = set()
    for name in _NEEDED:
        if shutil.which(str(folder / name)) is None:
            return None
        programs = Programs(folder, 0)
        done = subprocess.run(
            [programs.path(name), "--version"],
            env=programs.environment({}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        found = _VERSION.search(done.stdout)
        majors.add(int(found[1]) if found else None)
    return majors.pop() if len(majors) == 1 else None


@contextlib.contextmanager
def running(
    argv: Sequence[str],
    variables: Mapping[str, str],
    *,
    stopping: threading.Event,
    say: Callable[[str], None] = lambda _line: None,
    stdin: IO[bytes] | int = subprocess.DEVNULL,
    stdout: IO[bytes] | int = subprocess.DEVNULL,
) -> Iterator[subprocess.Popen[bytes]]:
    """A program, ended with us, with the block, and when the operator asks to stop.

    Its success is judged when the block is left, so what was made of its output before that is not yet to be trusted.

    Raises:
        SystemFault: it failed, with the end of what it said; or it was stopped.
    """
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", _TIED, str(os.getpid()), *argv],
        env=dict(variables),
        cwd="/",
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    said: collections.deque[str] = collections.deque(maxlen=_LINES_KEPT)
    reader = threading.Thread(target=_read, args=(process, said, say), daemon=True)
    reader.start()
    try:
        yield process
        while process.poll() is None and not stopping.is_set():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_PAUSE)
    finally:
        _end(process)
        reader.join(5)
        for pipe in (process.stderr, process.stdout):
            if pipe:
                pipe.close()
    name = Path(argv[0]).name
    if process.returncode != 0:
        stopped = stopping.is_set() and process.returncode < 0
        found = "stopped by the operator" if stopped else " | ".join(said) or f"exit status {process.returncode}"
        raise SystemFault(f"{name} failed", reason=Reason.FAILED, where=argv[0], found=found[-1500:])


def run(
    argv: Sequence[str],
    variables: Mapping[str, str],
    *,
    stopping: threading.Event,
    say: Callable[[str], None] = lambda _line: None,
) -> None:
    """Run a program to its end. Raises SystemFault as `running`."""
    with running(argv, variables, stopping=stopping, say=say):
        pass


def output(argv: Sequence[str], variables: Mapping[str, str], *, stopping: threading.Event) -> str:
    """What a program prints. Raises SystemFault as `running`."""
    with running(argv, variables, stopping=stopping, stdout=subprocess.PIPE) as process:
        assert process.stdout
        text = process.stdout.read().decode(errors="replace")
        process.stdout.close()
    return text


def _read(process: subprocess.Popen[bytes], said: collections.deque[str], say: Callable[[str], None]) -> None:
    assert process.stderr
    with contextlib.suppress(ValueError):  # closed under us: the program was ended
        for raw in process.stderr:
            line = raw.decode(errors="replace").strip()
            said.append(line)
            with contextlib.suppress(Exception):  # a run that has given the step up does not listen any more
                say(line)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the program and its workers: pg_dump passes SIGTERM on to them, and tells the server to cancel."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
