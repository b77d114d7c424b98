"""Secrets in a dotenv file that only its owner can read."""

from __future__ import annotations

import io
import os
import shlex
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from runbooks.engine.errors import InputError
from runbooks.engine.secret import Secret

GROUP_AND_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True)
class DotenvSource:
    """Reads ``NAME=value`` lines. ``$OTHER`` in a value stays as it is: a password may hold a dollar sign.

    Attributes:
        path: The file.
        made_by: The command that makes it; empty: a person does.
    """

    path: Path
    made_by: str = ""

    @property
    def origin(self) -> str:
        """What to call this source in a message."""
        return str(self.path)

    def load(self) -> Mapping[str, Secret]:
        """The values by name.

        Raises:
            InputError: the file is missing, unreadable, open to others, or not a dotenv file.
        """
        return self._values

    @cached_property
    def _values(self) -> Mapping[str, Secret]:
        return parse(read_private(self.path, made_by=self.made_by), self.origin)


def parse(text: str, origin: str) -> dict[str, Secret]:
    """The values in a dotenv text. As in the application itself, the last of two equal names counts.

    Raises:
        InputError: a line is not ``NAME=value``; its number is named, its content is not shown.
    """
    values = {}
    for binding in parse_stream(io.StringIO(text)):
        if binding.error:
            raise _bad_line(binding, origin, "a line that is not NAME=value, or a quote that is never closed")
        if binding.key is None:
            continue
        if binding.value is None:
            raise _bad_line(binding, origin, "a name without '=' and a value")
        values[binding.key] = Secret(binding.key, binding.value)
    return values


def _bad_line(binding: Binding, origin: str, found: str) -> InputError:
    source = binding.original.string
    blank_lines = source[: len(source) - len(source.lstrip())].count("\n")
    return InputError(
        "this is not a dotenv file",
        where=f"{origin}:{binding.original.line + blank_lines}",
        found=found,
        mend="correct that line; values with spaces, quotes or '#' belong in single quotes",
    )


def read_private(path: Path, *, made_by: str = "") -> str:
    """The text of a file that nobody but its owner may read or write.

    Args:
        path: The file.
        made_by: The command that makes it, for the error; empty: a person does.

    Raises:
        InputError: it is missing, not a file, open to others, somebody else's, unreadable or not UTF-8.
    """
    try:
        # O_NONBLOCK: opening a pipe in place of the file must not wait for somebody to write into it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        mend = made_by or f"create it with: install -m 600 /dev/null {_quoted(path)}"
        raise InputError("a secrets file is missing", where=str(path), mend=mend) from None
    except OSError as error:
        mend = "correct the path, or run as the file's owner"
        raise InputError(
            "a secrets file can't be opened", where=str(path), found=error.strerror or "", mend=mend
        ) from None
    try:
        # Asked of the open file: a link's target is judged, and nothing can be swapped in between.
        refuse_unless_private(path, os.fstat(descriptor), os.geteuid())
        with open(descriptor, "rb", closefd=False) as file:
            return _decoded(path, file.read())
    finally:
        os.close(descriptor)


def refuse_unless_private(path: Path, status: os.stat_result, reader: int) -> None:
    """Judge a file's kind, owner and mode.

    Args:
        path: Named in the error.
        status: What ``stat`` says of the file itself, not of a link to it.
        reader: The user id that wants to read. Root (0) may read anybody's file, if it is closed to others.

    Raises:
        InputError: the file is not safe to take secrets from.
    """
    if not stat.S_ISREG(status.st_mode):
        raise InputError(
            "a secrets file must be a regular file",
            where=str(path),
            found=_kind(status.st_mode),
            mend="put the file's path there",
        )
    if reader not in (0, status.st_uid):
        raise InputError(
            "a secrets file belongs to another user",
            where=str(path),
            found=f"owned by user id {status.st_uid}, read by user id {reader}",
            mend=f"sudo chown {reader} {_quoted(path)}",
        )
    if status.st_mode & GROUP_AND_OTHERS:
        raise InputError(
            "a secrets file is open to other users",
            where=str(path),
            found=f"mode {stat.S_IMODE(status.st_mode):04o}, wanted 0600",
            mend=f"chmod 600 {_quoted(path)}",
        )


def _decoded(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            "a secrets file is not UTF-8 text",
            where=f"{path}:{line}",
            found="bytes that are not UTF-8",
            mend='save the file as UTF-8; an encrypted file needs source = "command"',
        ) from None


def _kind(mode: int) -> str:
    kinds = ((stat.S_ISDIR, "a directory"), (stat.S_ISFIFO, "a pipe"), (stat.S_ISSOCK, "a socket"))
    return next((name for is_kind, name in kinds if is_kind(mode)), "a device")


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
