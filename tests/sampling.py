"""Watches what every process of this machine shows of itself while something runs: ``/proc/*/cmdline`` and ``environ``.

Anybody may read the first. The second is its owner's, and some programs are told a password there (pg_dump); those that
have no use for one must not have it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from runbooks.engine.redact import Redactor
from runbooks.engine.secret import Secret

PROC = Path("/proc")


@dataclass
class Seen:
    """What was seen of the processes that began meanwhile.

    Attributes:
        programs: The names of those whose arguments were read.
        in_arguments: Secrets by the name of the program that had them in its arguments, in any encoding.
        in_environment: The same of environments.
        arguments: All arguments that were read, for a secret that is known only afterwards.
    """

    programs: set[str] = field(default_factory=set)
    in_arguments: dict[str, set[str]] = field(default_factory=dict)
    in_environment: dict[str, set[str]] = field(default_factory=dict)
    arguments: set[bytes] = field(default_factory=set)

    def showed(self, secret: Secret) -> bool:
        """Whether any process had this secret in its arguments, in any encoding."""
        return any(_holds(arguments, Redactor([secret])) for arguments in self.arguments)


@contextlib.contextmanager
def watching(secrets: Iterable[Secret]) -> Iterator[Seen]:
    """Look at all processes, as fast as it goes, until the end of the block."""
    watched = [(secret.name, Redactor([secret])) for secret in secrets]
    seen, over, before = Seen(), threading.Event(), set(_processes())
    known: dict[tuple[str, bytes, bytes], None] = {}

    def look() -> None:
        for process in set(_processes()) - before:
            arguments, environment = _read(process / "cmdline"), _read(process / "environ")
            if arguments != _read(process / "cmdline"):
                continue  # it became another program between the two reads; the next look tells
            if not arguments or (process.name, arguments, environment) in known:
                continue
            known[process.name, arguments, environment] = None
            program = _program(arguments.decode(errors="replace").split("\0"))
            seen.programs.add(program)
            seen.arguments.add(arguments)
            for name, redactor in watched:
                for text, where in ((arguments, seen.in_arguments), (environment, seen.in_environment)):
                    if _holds(text, redactor):
                        where.setdefault(program, set()).add(name)

    def loop() -> None:
        while not over.is_set():
            look()
            over.wait(0.001)

    watcher = threading.Thread(target=loop, name="sampling", daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


def _processes() -> Iterator[Path]:
    return (path for path in PROC.iterdir() if path.name.isdecimal())


def _program(arguments: list[str]) -> str:
    """Its name; of Python that is about to become a program by ``exec``, that program's."""
    becomes = [word for word in arguments[4:] if word.startswith("/")] if arguments[1:3] == ["-I", "-c"] else []
    return Path([*becomes, arguments[0]][0]).name


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has ended, or is somebody else's
        return b""


def _holds(text: bytes, redactor: Redactor) -> bool:
    return any(
        redactor.text(part) != part for part in text.decode(errors="surrogateescape").split("\0") if len(part) >= 8
    )
