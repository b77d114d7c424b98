"""What a database is made of besides rows: every object by kind and name, with a definition that can be compared."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources

from runbooks.systems.postgres.client import Connection

Catalogue = Mapping[str, Mapping[str, str]]
"""Kind → name → definition. The kinds are the names of the files in `catalogue/`."""

_CAST = re.compile(
    r'::(?:"[^"]+"|[a-z_][a-z0-9_.]*)(?: (?:varying|precision|with(?:out)? time zone))?'
    r"(?:\(\d+(?:,\s*\d+)?\))?(?:\[\])*"
)
SHOWN = 120
"""Characters of a definition that a message shows."""

_LAYOUT = re.compile(r"[()\s]+")
_AROUND = re.compile(r" ?([,\[\]]) ?")
REWRITTEN = frozenset(
    ("columns", "constraints", "indexes", "policies", "rules", "statistics", "tables", "triggers", "views")
)
"""Kinds that hold expressions, which PostgreSQL writes with other casts and parentheses after reading its own text."""


def catalogue(connection: Connection) -> dict[str, dict[str, str]]:
    """All of it, as the connection sees it; see `snapshot.seeing`, which makes every name a qualified one."""
    return {
        kind: {str(row["name"]): str(row["definition"] or "") for row in connection.execute(query).fetchall()}
        for kind, query in _queries().items()
    }


def differences(recorded: Catalogue, found: Catalogue) -> Iterator[str]:
    """What is missing, is there without having been, or is otherwise, each in a sentence."""
    for kind in sorted({*recorded, *found}):
        before, now = recorded.get(kind, {}), found.get(kind, {})
        for name in sorted({*before, *now}):
            if name not in now:
                yield f"{kind}: {name} is missing"
            elif name not in before:
                yield f"{kind}: {name} was not there"
            elif not _alike(kind, before[name], now[name]):
                is_now, was = _around_difference(now[name], before[name])
                yield f"{kind}: {name} is “{is_now}”, was “{was}”"


def _alike(kind: str, before: str, now: str) -> bool:
    return before == now or (kind in REWRITTEN and plain(before) == plain(now))


def plain(definition: str) -> str:
    """An expression without casts, parentheses and layout."""
    return _AROUND.sub(r"\1", _LAYOUT.sub(" ", _CAST.sub("", definition))).strip()


def _around_difference(one: str, other: str) -> tuple[str, str]:
    """Both definitions in a line each; of long ones the part where they begin to differ."""
    one, other = " ".join(one.split()), " ".join(other.split())
    if max(len(one), len(other)) <= SHOWN:
        return one, other
    alike = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    begin = max(alike - SHOWN // 3, 0)
    return _cut(one, begin), _cut(other, begin)


def _cut(text: str, begin: int) -> str:
    part = text[begin : begin + SHOWN]
    return f"{'…' if begin else ''}{part}{'…' if len(text) > begin + SHOWN else ''}"


@cache
def _queries() -> dict[str, str]:
    folder = resources.files(__package__) / "catalogue"
    ours = (folder / "_ours.sql").read_text(encoding="utf-8")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return {
        file.name.removesuffix(".sql"): ours + file.read_text(encoding="utf-8")
        for file in files
        if not file.name.startswith("_")
    }
