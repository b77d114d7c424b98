"""What a source of secrets is, how one is declared, and which implementation a declaration opens."""

from __future__ import annotations

import enum
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from runbooks.engine.errors import InputError
from runbooks.engine.secret import Secret
from runbooks.systems.secrets.command import CommandSource, Format
from runbooks.systems.secrets.dotenv import DotenvSource
from runbooks.systems.secrets.process_environment import ProcessEnvironmentSource

DEFAULT_TIMEOUT_SECONDS = 30.0


class SecretSource(Protocol):
    """Somewhere that secret values can be read from."""

    @property
    def origin(self) -> str:
        """What to call this source in a message."""
        ...

    def load(self) -> Mapping[str, Secret]:
        """The values by name; read when first asked, and once.

        Raises:
            InputError: something that the operator owns is wrong.
            SystemFault: something else did not answer as promised.
        """
        ...


class SourceKind(enum.StrEnum):
    """Where values are kept."""

    DOTENV = "dotenv"
    ENVIRONMENT = "environment"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class SourceDeclaration:
    """A source as an inventory declares it. Keys that its kind has no use for must be absent.

    Attributes:
        source: The kind.
        path: dotenv: the file, relative to the environment's folder.
        command: command: its name and arguments, run in the environment's folder.
        format: command: what it prints; dotenv if absent.
        timeout_seconds: command: how long it may take; `DEFAULT_TIMEOUT_SECONDS` if absent.
        prefix: environment: only names that begin so are taken, without it; every name if absent.
    """

    source: SourceKind
    path: Path | None = None
    command: tuple[str, ...] | None = None
    format: Format | None = None
    timeout_seconds: float | None = None
    prefix: str | None = None


def open_source(
    declared: SourceDeclaration, folder: Path, environ: Mapping[str, str], *, made_by: str = ""
) -> SecretSource:
    """The source that was declared, not yet read.

    Args:
        declared: A declaration that the inventory's rules have passed.
        folder: The environment's folder; paths and commands are relative to it.
        environ: This process's environment variables.
        made_by: The command that makes its file; empty: a person does.

    Raises:
        InputError: the declaration lacks the key that its kind lives by.
    """
    match declared:
        case SourceDeclaration(source=SourceKind.ENVIRONMENT):
            return ProcessEnvironmentSource(environ, declared.prefix or "")
        case SourceDeclaration(source=SourceKind.DOTENV, path=Path() as path):
            return DotenvSource(Path(os.path.realpath(folder / path)), made_by)
        case SourceDeclaration(source=SourceKind.COMMAND, command=(_, *_) as argv):
            return CommandSource(
                argv=argv,
                format=declared.format or Format.DOTENV,
                timeout_seconds=declared.timeout_seconds or DEFAULT_TIMEOUT_SECONDS,
                folder=folder,
                environ=environ,
            )
    key = "path" if declared.source is SourceKind.DOTENV else "command"
    msg = f"a {declared.source} source needs '{key}'"
    raise InputError(msg, where=str(folder), mend=f"add '{key}' to the inventory")
