"""Runs commands on a host; the host is this machine, or is reached by whoever implements `Runner`."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from runbooks.engine.errors import Reason, SystemFault


@dataclass(frozen=True)
class Done:
    """A command that ended: its exit status and what it wrote."""

    status: int
    output: bytes
    errors: str

    @property
    def text(self) -> str:
        """The output as text; bytes that are no UTF-8 are kept apart."""
        return self.output.decode(errors="backslashreplace")


class Runner(Protocol):
    """Runs one command on a host, without a shell of its own, nothing on its standard input."""

    @property
    def name(self) -> str:
        """The host, as a person calls it."""

    def run(self, argv: Sequence[str], *, seconds: float = 10) -> Done:
        """The command, ended, whatever its exit status.

        Raises:
            SystemFault: it can't be started, or did not end in time.
        """


@dataclass(frozen=True)
class Local:
    """Runs them here."""

    name: str = "this machine"

    def run(self, argv: Sequence[str], *, seconds: float = 10) -> Done:
        """See `Runner.run`."""
        try:
            done = subprocess.run(
                list(argv),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise SystemFault(
                f"{argv[0]} did not end", reason=Reason.TIMED_OUT, where=self.name, found=f"waited {seconds:g} s"
            ) from error
        except OSError as error:
            what = f"{argv[0]} can't be started"
            found = error.strerror or ""
            raise SystemFault(what, reason=Reason.UNREACHABLE, where=self.name, found=found) from error
        return Done(done.returncode, done.stdout, done.stderr.decode(errors="backslashreplace"))


def output(runner: Runner, argv: Sequence[str], what: str, where: str, mend: str = "") -> Done:
    """The command's outcome, if it succeeded.

    Args:
        what: What could not be done if it fails, as a sentence.
        where: What it concerns: a file, a unit.
        mend: What to do then.

    Raises:
        SystemFault: it failed; says what it wrote.
    """
    done = runner.run(argv)
    if done.status != 0:
        lines = done.errors.strip().splitlines()
        denied = "permission denied" in done.errors.lower() or "not authorized" in done.errors.lower()
        raise SystemFault(
            what,
            reason=Reason.UNAUTHORISED if denied else Reason.UNREACHABLE,
            where=f"{where} on {runner.name}",
            found=lines[-1] if lines else f"exit status {done.status}",
            mend=mend,
        )
    return done
