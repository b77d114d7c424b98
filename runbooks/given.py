"""A new value of a secret that an operator gives: typed unseen, or printed by a command."""

from __future__ import annotations

import getpass
import os
import shlex
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from runbooks.engine.errors import InputError
from runbooks.engine.redact import SHORTEST
from runbooks.engine.secret import Secret
from runbooks.systems.secrets.command import CommandSource, Format

SECONDS = 60.0


@dataclass(frozen=True)
class Given:
    """Asked for once, when it is first needed; never written down here.

    Attributes:
        name: The variable.
        command: What prints the value, such as a password manager's command; None: it is typed.
    """

    name: str
    command: str | None

    @cached_property
    def value(self) -> Secret:
        """The value.

        Raises:
            InputError: there is no terminal to ask on, no command, or what was given is none.
            SystemFault: the command failed.
        """
        text = self._printed() if self.command else self._typed()
        if len(text) < SHORTEST or text != text.strip() or not text.isprintable():
            raise InputError(
                f"what was given is no value of {self.name}",
                found=f"{len(text)} characters" if text == text.strip() else "space or lines around it",
                mend=f"give one line of at least {SHORTEST} characters",
            )
        return Secret(self.name, text)

    def _typed(self) -> str:
        if not sys.stdin.isatty():
            raise InputError(
                f"the new {self.name} has to be given, and there is no terminal to ask on",
                mend="--command 'a command that prints it'; it is never taken from the command line itself",
            )
        return getpass.getpass(f"The new {self.name} (not shown): ").strip()

    def _printed(self) -> str:
        assert self.command
        try:
            argv = tuple(shlex.split(self.command))
        except ValueError as error:
            raise InputError("this is no command", where="--command", found=str(error)) from None
        source = CommandSource(argv, Format.DOTENV, SECONDS, Path.cwd(), os.environ)
        return source.text().removesuffix("\n").removesuffix("\r")
