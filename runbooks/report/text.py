"""Makes text that an application answered harmless, and says numbers the way people do."""

from __future__ import annotations

import re
from datetime import datetime
from typing import IO

from runbooks.engine.invisible import INVISIBLE, TERMINAL

_LINE_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_ASCII = str.maketrans(
    {
        "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "...", "→": "->", "←": "<-",
        "·": "-", "✓": "+", "✗": "x", "▸": ">", "•": "*", "█": "#", "░": ".", "×": "x", "─": "-", "━": "=",
    }
)  # fmt: skip


def plain(text: object) -> str:
    """The text without control characters, terminal sequences and marks that reorder what is read; lines are kept."""
    shown = _LINE_BREAKS.sub("\n", TERMINAL.sub("", str(text)))
    return INVISIBLE.sub("", shown.replace("\t", "    "))


def one_line(text: object, limit: int = 0) -> str:
    """The same on a single line, cut to `limit` characters if there is one."""
    joined = " ".join(plain(text).split())
    return joined if not limit or len(joined) <= limit else joined[: limit - 1].rstrip() + "…"


def for_stream(text: str, stream: IO[str]) -> str:
    """The text in characters that the stream can write; typographic signs become their ASCII look-alikes."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_ASCII).encode(encoding, "replace").decode(encoding)
    return text


def duration(seconds: float) -> str:
    """How long something took: ``0.42 s``, ``12.3 s``, ``3 min 05 s``, ``1 h 02 min``."""
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


def moment(at: datetime) -> str:
    """A point in time, to the second; records are in UTC."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def count(number: int, noun: str) -> str:
    """``1 check``, ``2 checks``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
