"""Log text to lines with their times, and which of them were written from a moment on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, tzinfo

from runbooks.systems.platform.port import LogLine

_TIME = re.compile(
    r"^\[?(?P<date>\d{4}-\d\d-\d\d)[ T](?P<time>\d\d:\d\d:\d\d)"
    r"(?:[.,](?P<fraction>\d{1,9}))?\s?(?P<zone>Z|[+-]\d\d:?\d\d)?"
)


def lines(text: str, zone: tzinfo) -> list[LogLine]:
    """The text's lines; one that begins with a date and a time has its time.

    Args:
        zone: The host's, for times that name none.
    """
    return [LogLine(line, time_of(line, zone)) for line in text.splitlines() if line]


def time_of(line: str, zone: tzinfo) -> datetime | None:
    """When a line says that it was written; None if it does not."""
    match = _TIME.match(line)
    if not match:
        return None
    fraction = (match["fraction"] or "0")[:6].ljust(6, "0")
    offset = (match["zone"] or "").replace("Z", "+00:00")
    try:
        moment = datetime.fromisoformat(f"{match['date']}T{match['time']}.{fraction}{offset}")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def written_since(all_lines: Sequence[LogLine], moment: datetime) -> tuple[list[LogLine], bool]:
    """The lines after the last one that is older; and whether there is an older one.

    Lines without a time count as written with those that follow: what a start prints before its logger is set up
    belongs to it. So does what an earlier process printed last without a time: too much, never too little.
    """
    for index in range(len(all_lines) - 1, -1, -1):
        time = all_lines[index].time
        if time is not None and time < moment:
            return list(all_lines[index + 1 :]), True
    return list(all_lines), False
