"""What each revision that is new in a release would run, as its own Alembic tells it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from runbooks.engine.errors import Reason, SystemFault

_ANSWER = "offline: "
_OWN = re.compile(
    r"^(?:(?:INSERT INTO|UPDATE|DELETE FROM) alembic_version\b.*?;"
    r"|CREATE TABLE alembic_version \(.*?\);|BEGIN;|COMMIT;|-- Running upgrade .*?)$",
    re.MULTILINE | re.DOTALL,
)
"""What Alembic adds itself: its own table's bookkeeping, and the borders of transactions."""


@dataclass(frozen=True)
class Revision:
    """A revision, and the statements that it runs.

    Attributes:
        problem: Why its statements can't be told ahead; empty where they can.
    """

    id: str
    sql: str
    problem: str = ""


@dataclass(frozen=True)
class Told:
    """What a release says of its migrations.

    Attributes:
        heads: Those that no other one follows.
        new: Those that the schema has not had yet, oldest first.
        migrates_at_start: Whether its start command migrates.
    """

    heads: tuple[str, ...]
    new: Sequence[Revision]
    migrates_at_start: bool


def argv(heads: Sequence[str]) -> tuple[str, ...]:
    """The program to run in the release, over a schema that is at these migrations."""
    return ("python", "-c", _program(), *heads)


def parse(printed: str) -> Told:
    """What the program told.

    Raises:
        SystemFault: it told nothing.
    """
    answers = [line for line in printed.splitlines() if line.startswith(_ANSWER)]
    try:
        found = json.loads(answers[-1].removeprefix(_ANSWER))
        new = [Revision(each["revision"], _OWN.sub("", each["sql"]).strip(), each["error"]) for each in found["new"]]
        return Told(tuple(found["heads"]), new, found["migrates_at_start"] is True)
    except (IndexError, ValueError, KeyError, TypeError) as error:
        raise SystemFault(
            "the release did not tell what its migrations would run",
            reason=Reason.BAD_ANSWER,
            found=printed.strip()[-300:],
            mend="in the release's folder: alembic upgrade head --sql",
        ) from error


@cache
def _program() -> str:
    return Path(__file__).with_name("offline.py").read_text(encoding="utf-8")
