"""Reads what Linux tells of processes in /proc: pure parsers."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret

_STAT = re.compile(r"^(\d+) \((.*)\) \S (\d+) (?:\S+ ){9}(\d+) (\d+) ", re.DOTALL)
TICK = 0.01
"""Seconds; what Linux shows programs is in hundredths on every machine."""

_LIMIT = re.compile(r"^(?P<name>Max [a-z ]+?) {2,}(?P<soft>\S+) +(?P<hard>\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Row:
    """One process: its id, its parent's, its program's name of at most 15 characters, and its seconds of processor."""

    pid: int
    parent: int
    name: str
    cpu_seconds: float


def rows(text: str) -> list[Row]:
    """The processes of many ``/proc/PID/stat``, one a line. A name may hold blanks and brackets."""
    return [
        Row(int(match[1]), int(match[3]), match[2], (int(match[4]) + int(match[5])) * TICK)
        for line in text.splitlines()
        if (match := _STAT.match(line))
    ]


def environment(text: bytes) -> Mapping[str, Secret]:
    """``/proc/PID/environ``: the variables that a program was started with."""
    pairs = [each.partition("=") for each in text.decode(errors="surrogateescape").split("\0")]
    return {name: Secret(name, value) for name, equals, value in pairs if equals}


def fields(text: str) -> Mapping[str, str]:
    """``/proc/PID/status`` or ``/proc/meminfo`` by name."""
    return {name: value.strip() for name, _, value in (line.partition(":") for line in text.splitlines())}


def kilobytes(known: Mapping[str, str], name: str) -> int:
    """A size of `fields`, in bytes.

    Raises:
        SystemFault: it is not there.
    """
    match = re.fullmatch(r"(\d+) kB", known.get(name, ""))
    if not match:
        raise _unreadable(name, known.get(name, "nothing"))
    return int(match[1]) * 1024


def catches(known: Mapping[str, str], wanted: signal.Signals) -> bool:
    """Whether the process of this ``status`` has a handler for a signal."""
    try:
        return bool(int(known["SigCgt"], 16) >> (wanted - 1) & 1)
    except (KeyError, ValueError) as error:
        raise _unreadable("SigCgt", known.get("SigCgt", "nothing")) from error


def allowed_cores(known: Mapping[str, str]) -> int:
    """How many cores the process of this ``status`` may run on: its list reads like ``0-3,8``."""
    try:
        return sum(_length(part) for part in known["Cpus_allowed_list"].split(","))
    except (KeyError, ValueError) as error:
        raise _unreadable("Cpus_allowed_list", known.get("Cpus_allowed_list", "nothing")) from error


def soft_limits(text: str) -> Mapping[str, int | None]:
    """``/proc/PID/limits``: what holds now, by name; None is unlimited."""
    return {match["name"]: _number(match["soft"]) for match in _LIMIT.finditer(text)}


def below(all_rows: list[Row], pid: int) -> Iterator[Row]:
    """The children of a process."""
    return (row for row in all_rows if row.parent == pid)


def _length(part: str) -> int:
    first, _, last = part.partition("-")
    return int(last or first) - int(first) + 1


def _number(text: str) -> int | None:
    return None if text == "unlimited" else int(text)


def _unreadable(name: str, found: str) -> SystemFault:
    return SystemFault(f"{name} can't be read", reason=Reason.BAD_ANSWER, where="/proc", found=found)
