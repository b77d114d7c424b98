"""What a step ended with, and what a check found."""

from __future__ import annotations

import enum


class Outcome(enum.StrEnum):
    """How a step ended."""

    OK = "ok"  # already so, or read-only: nothing was changed
    CHANGED = "changed"
    SKIPPED = "skipped"
    FAILED = "failed"
    ABORTED = "aborted"
    COMPENSATED = "compensated"


class Verdict(enum.StrEnum):
    """What a check came to. Could not look is ``unknown``, never ``passed``."""

    PASSED = "passed"
    FAILED = "failed"
    WARNED = "warned"
    SKIPPED = "skipped"
    ATTESTED = "attested"
    WAIVED = "waived"
    UNKNOWN = "unknown"

    @property
    def good(self) -> bool:
        """Whether what depends on this check may be asked, and a gate may open."""
        return self not in (Verdict.FAILED, Verdict.UNKNOWN)


class Status(enum.StrEnum):
    """How a run ended, or where it stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    COMPENSATED = "failed and compensated"
    NEEDS_PERSON = "needs a person"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    DAMAGED = "damaged"
