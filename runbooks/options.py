"""What is given to every command that runs a runbook."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TextIO

from runbooks.engine.errors import InputError

CONSOLE = "console"
FORMATS = (CONSOLE, "json", "markdown")


@dataclass(frozen=True, kw_only=True)
class Options:
    """What an operator may say beyond a runbook's own parameters.

    Raises:
        InputError: the format does not exist, or has no form for a plan.
    """

    environment: str | None = None
    plan: bool = False
    confirm: str | None = None
    format: str = CONSOLE
    reason: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    stream: TextIO = field(default_factory=lambda: sys.stdout)

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise InputError(f"no format is called {self.format!r}", where="--format", found=", ".join(FORMATS))
        if self.plan and self.format != CONSOLE:
            raise InputError(
                "a plan has no other form than the console's",
                where=f"--format {self.format}",
                mend="leave --format out",
            )


def number(text: str | float | None, option: str, *, default: float) -> float:
    """What an operator gave for a number; the default if nothing.

    Raises:
        InputError: it is no number, or not a finite one.
    """
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{option} must be a number", where=option, found=repr(str(text)[:40]))
    return value
