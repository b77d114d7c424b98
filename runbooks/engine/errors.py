"""Every error that an operator can meet, in one tree.

    RunbookError             exit 1   the command could not run
    ├── InputError           exit 2   inventory, arguments, damaged files
    ├── LeaseHeld            exit 5   another run holds the environment
    ├── LeaseLost            exit 7   ours was broken or taken over while we ran
    ├── NeedsPerson          exit 7   nothing more can be done safely without somebody deciding
    ├── Stopped              exit 130 or 143
    └── SystemFault          an outside system did not do what was asked; carries a Reason

The message says what happened, where, what was found there, and the next command to type.
"""

# ruff: noqa: N818 - the errors are named by the words that operators and the documents use

from __future__ import annotations

import enum
from typing import ClassVar


class Reason(enum.StrEnum):
    """Why an outside system could not be asked or did not answer as promised."""

    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed out"
    REFUSED = "refused"
    UNAUTHORISED = "unauthorised"
    RATE_LIMITED = "rate limited"
    BAD_ANSWER = "bad answer"
    FAILED = "failed"
    NOTHING_TO_ASK = "nothing to ask"
    """No system was declared, or none exists, that could answer; only then does a person's word count."""


class RunbookError(Exception):
    """Base of all errors that are shown to an operator without a traceback.

    Args:
        what: One sentence: what could not be done.
        where: The file and line, host, URL or key that it concerns.
        found: What was seen there instead of what was wanted.
        mend: The next command to type or thing to change.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, where: str = "", found: str = "", mend: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.found = found
        self.mend = mend

    def __str__(self) -> str:
        lines = [self.what]
        for label, text in (("where", self.where), ("found", self.found), ("next", self.mend)):
            if text:
                lines.append(f"  {label + ':':<7}{text}")
        return "\n".join(lines)


class InputError(RunbookError):
    """The inventory, an argument or a file that the operator owns is wrong; nothing was done."""

    exit_code = 2


class LeaseHeld(RunbookError):
    """Another run is changing this environment."""

    exit_code = 5


class LeaseLost(RunbookError):
    """The run's lease was broken or has expired; no further effect may be started."""

    exit_code = 7


class NeedsPerson(RunbookError):
    """It can't be told from outside whether an effect happened; a person has to look."""

    exit_code = 7


class Stopped(RunbookError):
    """SIGINT or SIGTERM arrived; the run stopped at a safe point."""

    def __init__(self, signal_number: int) -> None:
        self.signal_number = signal_number
        name = {2: "SIGINT", 15: "SIGTERM"}.get(signal_number, f"signal {signal_number}")
        super().__init__(f"stopped by {name}")

    @property
    def status(self) -> int:
        """The exit status that a shell expects of a process stopped by this signal."""
        return 128 + self.signal_number


class SystemFault(RunbookError):
    """An outside system could not be asked, or did not do what was asked."""

    def __init__(self, what: str, *, reason: Reason, where: str = "", found: str = "", mend: str = "") -> None:
        super().__init__(what, where=where, found=found, mend=mend)
        self.reason = reason
