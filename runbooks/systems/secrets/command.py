"""Secrets that a command prints, such as ``sops -d variables.env`` or a password manager's."""

from __future__ import annotations

import contextlib
import enum
import json
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.secrets import dotenv


class Format(enum.StrEnum):
    """What a secrets command prints: ``NAME=value`` lines, or one JSON object of texts."""

    DOTENV = "dotenv"
    JSON = "json"


@dataclass(frozen=True)
class CommandSource:
    """Runs a command and takes its standard output. Nothing that it prints, on either stream, is ever shown.

    Attributes:
        argv: The command and its arguments; no shell is involved.
        format: How its output is written.
        timeout_seconds: After this the command and everything it started is killed.
        folder: Where it runs.
        environ: The environment variables it gets.
    """

    argv: tuple[str, ...]
    format: Format
    timeout_seconds: float
    folder: Path
    environ: Mapping[str, str]

    @property
    def origin(self) -> str:
        """What to call this source in a message: the command's name, as its arguments may be private."""
        return f"the command {self.argv[0]}"

    def load(self) -> Mapping[str, Secret]:
        """The values by name.

        Raises:
            InputError: there is no such command.
            SystemFault: it failed, took too long, or printed something else than was declared.
        """
        return self._values

    def text(self) -> str:
        """What it prints, whatever its format. Raises as `load`."""
        try:
            return self._output().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise self._bad_answer("bytes that are not UTF-8") from None

    @cached_property
    def _values(self) -> Mapping[str, Secret]:
        text = self.text()
        if self.format is Format.JSON:
            return self._from_json(text)
        try:
            return dotenv.parse(text, self.origin)
        except InputError as error:
            raise self._bad_answer(error.found) from None

    def _output(self) -> bytes:
        with self._started() as process:
            try:
                output, _ = process.communicate(timeout=self.timeout_seconds)
            except subprocess.TimeoutExpired:
                _kill_group(process)
                raise SystemFault(
                    "the secrets command took too long",
                    reason=Reason.TIMED_OUT,
                    where=self.origin,
                    found=f"no end after {self.timeout_seconds:g} s",
                    mend="run it by hand: it may be waiting for a log-in; or raise timeout_seconds",
                ) from None
            except BaseException:
                # The command has its own process group, so Ctrl-C at the terminal does not reach it.
                _kill_group(process)
                raise
        if process.returncode:
            raise SystemFault(
                "the secrets command failed",
                reason=Reason.FAILED,
                where=self.origin,
                found=_ending(process.returncode),
                mend=f"run it by hand in {self.folder}; its output is not shown here, as it may hold secrets",
            )
        return output

    def _started(self) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                self.argv,
                cwd=self.folder,
                env=dict(self.environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            raise InputError(
                "the secrets command can't be started",
                where=self.origin,
                found=error.strerror or "",
                mend="install it, or correct 'command' in the inventory",
            ) from None

    def _from_json(self, text: str) -> dict[str, Secret]:
        try:
            values = json.loads(text)
        except (ValueError, RecursionError):
            raise self._bad_answer("something that is not JSON") from None
        if not isinstance(values, dict):
            raise self._bad_answer("JSON that is not an object")
        if not all(isinstance(value, str) for value in values.values()):
            raise self._bad_answer("a JSON object with a value that is not a text")
        return {name: Secret(name, value) for name, value in values.items()}

    def _bad_answer(self, found: str) -> SystemFault:
        return SystemFault(
            f"the secrets command did not print {self.format.value}",
            reason=Reason.BAD_ANSWER,
            where=self.origin,
            found=found,
            mend="set 'format' in the inventory to what the command prints",
        )


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the command and what it started, or whoever holds the pipe would keep us waiting."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _ending(status: int) -> str:
    return f"exit status {status}" if status > 0 else f"killed by signal {-status}"
