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


def argv(heads: Sequence[str]) -> tuple[str, ...]:
    """The program to run in the release, over a schema that is at these migrations."""
    return ("python", "-c", _program(), *heads)


def parse(printed: str) -> list[Revision]:
    """The revisions that the program told of, oldest first.

    Raises:
        SystemFault: it told of none at all.
    """
    answers = [line for line in printed.splitlines() if line.startswith(_ANSWER)]
    try:
        found = json.loads(answers[-1].removeprefix(_ANSWER))
        return [Revision(each["revision"], _OWN.sub("", each["sql"]).strip(), each["error"]) for each in found]
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
