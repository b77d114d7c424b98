"""What a fault is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from runbooks.sandbox.world import Sandbox

Change = Callable[[Sandbox], None]


@dataclass(frozen=True)
class Means:
    """A pair of doing and taking back. Taking back is safe to repeat, also after half an injection.

    Attributes:
        restarts: Whether taking it back waits for the application, which another fault may keep from starting.
    """

    inject: Change
    mend: Change
    restarts: bool = True


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something that can go wrong.

    Attributes:
        name: As typed after ``sandbox.break``.
        breaks: The check that must not pass any more.
        shows: A part of what that check's finding must say, so that it is red for the right reason.
        also: Other checks that are rightly not good under it, apart from those that depend on them.
        silences: Whether nobody can ask the application under it, so that whatever asks it is ``unknown``.
        verdict: What ``breaks`` comes to: ``failed`` for almost all.
        means: How it is broken, and taken back.
    """

    name: str
    breaks: str
    shows: str
    means: Means
    also: tuple[str, ...] = ()
    silences: bool = False
    verdict: str = "failed"
