"""What lines of a log say, whatever format the application writes them in."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable

from runbooks.systems.platform.port import LogLine, Platform

_BEGINNING = 120
"""Characters of a line in which its level stands; further on the word may be anybody's."""

_BOUNDARY = r"(?:^|[\s\[|\"':])"
_AFTER = r"(?=[\s\]|\"':,]|$)"
_ERROR = re.compile(
    _BOUNDARY + r"(?:ERROR|CRITICAL|FATAL)" + _AFTER + r"|^Traceback \(most recent call last\)"
    r"|\"(?:level|levelname|severity)\": ?\"(?i:error|critical|fatal)\""
)
_WARNING = re.compile(
    _BOUNDARY + r"WARN(?:ING)?" + _AFTER + r"|\"(?:level|levelname|severity)\": ?\"(?i:warn(?:ing)?)\""
)
_HEALTHY = re.compile(r"\bGET /health[ \"?].*\b200\b|Application startup complete")


def is_error(line: LogLine) -> bool:
    """Whether it was written at the level ERROR or above, or begins a traceback."""
    return bool(_ERROR.search(line.text[:_BEGINNING]))


def is_warning(line: LogLine) -> bool:
    """Whether it was written at the level WARNING or above."""
    return is_error(line) or bool(_WARNING.search(line.text[:_BEGINNING]))


def until_healthy(lines: Iterable[LogLine]) -> list[LogLine] | None:
    """The lines before the first healthy answer, or before uvicorn says that the start is complete; None: neither."""
    found: list[LogLine] = []
    for line in lines:
        if _HEALTHY.search(line.text):
            return found
        found.append(line)
    return None


def wait_for(platform: Platform, mark: str, wanted: Callable[[LogLine], bool], seconds: float) -> LogLine | None:
    """The first such line after the mark; None if none came in time."""
    deadline = time.monotonic() + seconds
    while True:
        for line in platform.log_after(mark).lines:
            if wanted(line):
                return line
        left = deadline - time.monotonic()
        if left <= 0:
            return None
        time.sleep(min(0.1, left))
