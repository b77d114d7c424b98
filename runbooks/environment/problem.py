"""Something wrong in an `environment.toml`, and how several of them become one error."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from runbooks.engine.errors import InputError
from runbooks.environment import locate

EXAMPLE_HINT = "inventory/example/environment.toml shows every key"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with one key.

    Attributes:
        path: The key.
        what: A sentence that names it.
        found: What stands there; never a text that may be secret.
        mend: What to change.
    """

    path: locate.Path
    what: str
    found: str = ""
    mend: str = EXAMPLE_HINT


def dotted(path: locate.Path) -> str:
    """A path as it is written in TOML, places in arrays left out."""
    return ".".join(part for part in path if isinstance(part, str))


def did_you_mean(wrong: str, known: Iterable[str], *, cutoff: float = 0.6, prefix: str = "") -> str:
    """A question that names, after `prefix`, the known word most like the wrong one; or nothing."""
    close = difflib.get_close_matches(wrong, list(known), n=1, cutoff=cutoff)
    return f"did you mean '{prefix}{close[0]}'?" if close else ""


def as_error(problems: Sequence[Problem], file: str, places: Mapping[locate.Path, locate.Place]) -> InputError:
    """The first problem by line, and how many more there are."""
    line, first = min(
        ((locate.nearest(places, problem.path).line, problem) for problem in problems),
        key=lambda pair: pair[0],
    )
    others = len(problems) - 1
    more = f" (and {others} more in this file)" if others else ""
    return InputError(first.what + more, where=f"{file}:{line}", found=first.found, mend=first.mend)
