"""Foreign text for Markdown, YAML and Mermaid: it can be read there, and can't become structure."""

from __future__ import annotations

import json
import re
from typing import Any

from runbooks.report.text import one_line, plain

MAX_CELL = 300
MAX_BLOCK = 4000

_SPECIAL = re.compile(r"[\\`*|~$]|](?=\()|(?<![^\W_])_|_(?![^\W_])|<(?=[A-Za-z/!?])")
_ENTITY = re.compile(r"&(?=#?\w+;)")
_LEADING = re.compile(r"^(#|[-+=>]|\d+[.)](?=\s|$))")
_UNSAFE_IN_MERMAID = re.compile(r"[^\w .()/–-]")


class Markdown(str):
    """Text that is Markdown already; everything else is escaped where it meets the page."""

    __slots__ = ()


def inline(text: object, limit: int = MAX_BLOCK) -> Markdown:
    """The text on one line, as itself: no markup, no HTML, no new cell."""
    safe = _ENTITY.sub("&amp;", one_line(text, limit))
    safe = _SPECIAL.sub(lambda found: "&lt;" if found[0] == "<" else "\\" + found[0], safe)
    return Markdown(_LEADING.sub(lambda found: found[0][:-1] + "\\" + found[0][-1], safe))


def cell(text: object) -> Markdown:
    """The same, short enough for a table."""
    return inline(text, MAX_CELL)


def code(text: object) -> Markdown:
    """An id or a command as a code span; also inside a table."""
    shown = one_line(text, MAX_CELL).replace("`", "'").replace("|", "¦")
    return Markdown(f"`{shown}`" if shown else "")


def block(text: object) -> Markdown:
    """Several lines as a code block that nothing inside can close."""
    shown = plain(text)[:MAX_BLOCK].rstrip("\n")
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    return Markdown(f"{fence}text\n{shown}\n{fence}")


def scalar(value: Any) -> Markdown:
    """A YAML scalar: JSON's are YAML's too, and a quoted one can't end early."""
    if value is None or isinstance(value, (bool, int, float)):
        return Markdown(json.dumps(value))
    return Markdown(json.dumps(one_line(value), ensure_ascii=False))


def task(text: object, limit: int = 44) -> str:
    """A name for Mermaid, which has no escapes: what could mean something to it becomes a space."""
    return one_line(_UNSAFE_IN_MERMAID.sub(" ", one_line(text)), limit) or "unnamed"
