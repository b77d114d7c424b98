"""More than a `Runner`: what a host must allow so that releases can be put there. This machine, or `ssh.Ssh`.

Both run the same commands; a contract test runs over both.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import IO, Protocol

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.hosts.runner import Done, Local, Runner

BLOCK = 256 * 1024
"""Bytes that are handed on at once. Paramiko copies what is left of them for each packet, so not all in one piece."""

GRACE = 10
"""Seconds that a command has to end once its held standard input has ended."""


class Access(Runner, Protocol):
    """Runs commands on a host, feeds them, and reaches what listens there."""

    def send(self, argv: Sequence[str], data: Iterable[bytes], *, seconds: float, hold: bool = False) -> Done:
        """The command with this on its standard input, ended, whatever its exit status.

        Args:
            data: In pieces of any size. What they hold is never part of an error.
            hold: Keep its standard input open until it ends by itself; it then sees its end only if we are gone.

        Raises:
            SystemFault: it can't be started, or did not end in time; or what yields the data raises one.
        """

    def connect(self, address: str, *, seconds: float = 10) -> socket.socket:
        """A connection to ``ADDRESS:PORT`` as seen from the host.

        Raises:
            SystemFault: UNREACHABLE where nothing listens there.
        """

    def reach(self, address: str) -> AbstractContextManager[str]:
        """The ``ADDRESS:PORT`` at which this machine reaches that of the host, for the time of a block."""

    def close(self) -> None:
        """Close what is open; it opens again by itself."""


@dataclass(frozen=True)
class Here(Local):
    """The machine on which we run."""

    def send(self, argv: Sequence[str], data: Iterable[bytes], *, seconds: float, hold: bool = False) -> Done:
        """See `Access.send`."""
        try:
            process = subprocess.Popen(
                list(argv),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # so that its children can be ended with it
            )
        except OSError as error:
            raise _cannot_start(argv, self.name, error) from error
        assert process.stdin is not None
        feeder = Feeder(process.stdin, data, hold=hold)
        process.stdin = None  # or `communicate` would close it ahead of the feeder
        try:
            output, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            raise did_not_end(argv, self.name, seconds) from error
        finally:
            feeder.end()
            if process.poll() is None:
                _end(process, GRACE if hold else 0)
            for pipe in (process.stdout, process.stderr):
                if pipe:  # `communicate` leaves them open when something else still holds the other end
                    pipe.close()
        feeder.raise_what_went_wrong()
        return Done(process.returncode, output, errors.decode(errors="backslashreplace"))

    def connect(self, address: str, *, seconds: float = 10) -> socket.socket:
        """See `Access.connect`."""
        try:
            return socket.create_connection(host_and_port(address), timeout=seconds)
        except OSError as error:
            raise nothing_listens(address, self.name, str(error)) from error

    def reach(self, address: str) -> AbstractContextManager[str]:
        """See `Access.reach`: it is the address itself."""
        return contextlib.nullcontext(address)

    def close(self) -> None:
        """See `Access.close`: nothing is kept open."""


def _end(process: subprocess.Popen[bytes], grace: float) -> None:
    """End a command with its group; one that looks whether its standard input has ended gets time to end its own."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(grace)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):  # what left its group may still hold its output open
        process.communicate(timeout=2)
    process.wait()


class Feeder:
    """Writes to a command's standard input from a thread of its own, so that its output can be read meanwhile."""

    def __init__(self, file: IO[bytes], data: Iterable[bytes], *, hold: bool) -> None:
        self._file = file
        self._data = data
        self._over = threading.Event()
        self._hold = hold
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._feed, name="feeder", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """The command has ended: stop feeding it."""
        self._over.set()
        self._thread.join(10)

    def raise_what_went_wrong(self) -> None:
        """Raise what the data's source raised; that the command would read no more is for its exit status to tell."""
        if self._error is not None:
            raise self._error

    def _feed(self) -> None:
        try:
            for piece in self._data:
                for begin in range(0, len(piece), BLOCK):
                    if self._over.is_set():
                        return
                    self._file.write(piece[begin : begin + BLOCK])
            self._file.flush()
            if self._hold:
                self._over.wait()
        except (OSError, EOFError):
            pass  # it reads no more
        except Exception as error:  # whatever reads the repository may raise; it belongs to who called us
            self._error = error
        finally:
            with contextlib.suppress(OSError, EOFError):
                self._file.close()


def host_and_port(address: str) -> tuple[str, int]:
    """The two parts of ``ADDRESS:PORT``."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise SystemFault("that is no address", reason=Reason.BAD_ANSWER, where=address, mend="ADDRESS:PORT")
    return host.strip("[]"), int(port)


def did_not_end(argv: Sequence[str], where: str, seconds: float) -> SystemFault:
    """The fault of a command that took too long."""
    return SystemFault(f"{argv[0]} did not end", reason=Reason.TIMED_OUT, where=where, found=f"waited {seconds:g} s")


def nothing_listens(address: str, where: str, found: str) -> SystemFault:
    """The fault of an address at which nobody answers."""
    return SystemFault("nothing listens there", reason=Reason.UNREACHABLE, where=f"{address} on {where}", found=found)


def _cannot_start(argv: Sequence[str], where: str, error: OSError) -> SystemFault:
    what = f"{argv[0]} can't be started"
    return SystemFault(what, reason=Reason.UNREACHABLE, where=where, found=error.strerror or "")
