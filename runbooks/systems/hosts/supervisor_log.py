"""What supervisor's own log tells of a program: when it was started on purpose, and how often again since."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from runbooks.systems.platform.port import LogLine

_STARTED = re.compile(r"INFO supervisord started with pid ")
_EVENT = re.compile(
    r" (?:INFO|WARN) (?:spawned: '(?P<spawned>[^']+)' with pid (?P<pid>\d+)"
    r"|exited: (?P<exited>\S+) \(|stopped: (?P<stopped>\S+) \(|gave up: (?P<gave_up>\S+) )"
)


@dataclass(frozen=True)
class Starts:
    """The starts of one program since it was last started on purpose.

    Attributes:
        first: When that was.
        pid: Of the latest start.
        again: How often supervisor started it since, by itself.
    """

    first: datetime
    pid: int
    again: int


def starts(events: Iterable[LogLine], program: str) -> Starts | None:
    """What the events come to; None if they do not reach back to a start."""
    first: datetime | None = None
    pid = again = 0
    for event in events:
        if _STARTED.search(event.text):
            first, again = None, 0
        match = _EVENT.search(event.text)
        if not match or program not in match.groupdict().values():
            continue
        if match["stopped"] or match["gave_up"]:
            first, again = None, 0
        elif match["exited"]:
            again += 1
        elif match["spawned"]:
            first, pid = first or event.time, int(match["pid"])
    return Starts(first, pid, again) if first else None
