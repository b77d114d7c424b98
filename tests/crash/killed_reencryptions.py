"""Rotates the key of a small table and is killed at each statement and end of a transaction, a rotation for each.

Reads the database's URL and the two keys as JSON from standard input; prints a JSON line per kill. Each rotation is a
fork of this process, so that an interpreter is started once.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import psycopg

from runbooks.steps.reencryption import Reencryption
from tests.keyrings import Keyring

ROWS = 12


def forward(ours: Reencryption) -> None:
    ours.encrypt(threading.Event())
    ours.swap()


def back(ours: Reencryption) -> None:
    ours.swap_back()
    ours.forget()


def killed_at(number: int, act: Callable[[], None]) -> bool:
    """Whether the point with this number was reached, in a fork that then was killed."""
    child = os.fork()
    if child:
        return os.WIFSIGNALED(os.waitpid(child, 0)[1])
    seen = 0

    def point() -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def killing(owner: Any, name: str, *, after: bool = False) -> None:
        method = getattr(owner, name)

        def wrapped(*arguments: Any, **named: Any) -> Any:
            point()
            result = method(*arguments, **named)
            if after:
                point()
            return result

        setattr(owner, name, wrapped)

    for name in ("execute", "executemany", "copy"):
        killing(psycopg.Cursor, name)
    killing(psycopg.Transaction, "__exit__", after=True)
    try:
        act()
    finally:
        os._exit(0)


def readable(ring: Keyring) -> str:
    """Under which key all rows are: ``old``, ``new``, or what no rotation may leave: ``mixed``."""
    under = {word: "!" not in ring.values(key).values() for word, key in (("old", ring.old), ("new", ring.new))}
    return next((word for word, whole in under.items() if whole), "mixed")


def main() -> None:
    ring = Keyring(*json.loads(sys.stdin.readline()))
    ours = ring.reencryption(batch=5)
    for way in ("forward", "back"):
        number = 0
        while True:
            number += 1
            ring.execute('DELETE FROM user_api_config; DELETE FROM "user"; ALTER SEQUENCE "user_id_seq" RESTART')
            ring.fill(ROWS)
            if way == "back":
                forward(ours)
                ring.save(2, "late", ring.new)
            act = forward if way == "forward" else back
            reached = killed_at(number, lambda act=act: act(ours))  # type: ignore[misc]
            stage, after = ours.stage(), readable(ring)
            act(ours)
            line = {
                "way": way,
                "stage": stage,
                "under": after,
                "ended": readable(ring),
                "rows": len(ring.values(ring.old)),
            }
            if not reached:
                break
            print(json.dumps(line), flush=True)
            ours.forget()
        ours.forget()


if __name__ == "__main__":
    main()
