"""Runs one ``invoke`` command and kills this process at a point of it: ``python driver.py POINT -- sandbox.up``.

POINT is one of

    before:KIND  after:KIND  before:KIND/STEP  after:KIND/STEP    around the first such record of the journal
    before-sql:TEXT  after-sql:TEXT    around the first SQL statement that holds this text
    before-call:MODULE:CLASS.METHOD  after-call:MODULE:CLASS.METHOD    around the first call of a method
    effect:N    ahead of the N-th effect on the machine: a rename, a link, a folder, a removal, a process, a connection

With ``--do COMMAND`` ahead of the ``--`` the process is not killed at such a record: the shell does this once, and the
command goes on and ends with its own exit code.

Nothing in the product knows of this: the journal's `append` is wrapped, and effects are seen by an audit hook. The exit
code is 99 if the command ended before the point was reached. With ``count`` as POINT nothing is killed, and the number
of effects is the last line of standard error.
"""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[2])  # as `python -m invoke` in the checkout has it

from invoke.main import program  # noqa: E402

from runbooks.engine.journal import Journal, Record  # noqa: E402

NOT_REACHED = 99
EFFECTS = {
    "os.rename",
    "os.link",
    "os.symlink",
    "os.mkdir",
    "os.remove",
    "os.rmdir",
    "subprocess.Popen",
    "socket.connect",
}


def die() -> None:
    """End at once: no handler, no ``finally``, no flush."""
    os.kill(os.getpid(), signal.SIGKILL)


def doing(command: str) -> Callable[[], None]:
    """Have the shell do this when it is called first."""
    left = [command]

    def act() -> None:
        if left:
            subprocess.run(
                left.pop(),
                shell=True,
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

    return act


def kill_around(when: str, wanted: str, act: Callable[[], None] = die) -> None:
    """Die just before or just after the journal's first record of this kind, and of this step if one is named."""
    kind, _, step = wanted.partition("/")
    append = Journal.append

    def wrapped(self: Journal, kind_now: str, *arguments: Any, **data: Any) -> Record:
        meant = kind_now == kind and (not step or data.get("step") == step)
        if meant and when == "before":
            act()
        record = append(self, kind_now, *arguments, **data)
        if meant and when == "after":
            act()
        return record

    Journal.append = wrapped  # type: ignore[method-assign, assignment]


def kill_around_statement(when: str, wanted: str) -> None:
    """Die just before or just after the first statement with this text; COMMIT is one, too."""
    import psycopg

    generator = psycopg.Connection._exec_command
    execute = psycopg.Cursor.execute

    def text_of(query: Any, connection: Any) -> str:
        if isinstance(query, bytes):
            return query.decode()
        return query.as_string(connection) if hasattr(query, "as_string") else str(query)

    def commanded(self: Any, command: Any, *arguments: Any, **named: Any) -> Any:
        meant = wanted in text_of(command, self)
        if meant and when == "before-sql":
            die()
        result = yield from generator(self, command, *arguments, **named)
        if meant:
            die()
        return result

    def executed(self: Any, query: Any, *arguments: Any, **named: Any) -> Any:
        meant = wanted in text_of(query, self.connection)
        if meant and when == "before-sql":
            die()
        result = execute(self, query, *arguments, **named)
        if meant:
            die()
        return result

    psycopg.Connection._exec_command = commanded  # type: ignore[method-assign]
    psycopg.Cursor.execute = executed  # type: ignore[method-assign]


def kill_around_call(when: str, wanted: str) -> None:
    """Die just before or just after the first call of this method: where an outside system was changed, and no more."""
    module, _, path = wanted.partition(":")
    owner, _, name = path.partition(".")
    kind = getattr(importlib.import_module(module), owner)
    method = getattr(kind, name)

    def wrapped(*arguments: Any, **named: Any) -> Any:
        if when == "before-call":
            die()
        method(*arguments, **named)
        die()

    setattr(kind, name, wrapped)


def kill_ahead_of_effect(number: int) -> Callable[[], int]:
    """Die ahead of the effect with this number, counted from 1; 0 is never. Returns what tells how many there were."""
    seen = 0

    def hook(event: str, _arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if event in EFFECTS:
            seen += 1
            if seen == number:
                die()

    sys.addaudithook(hook)
    return lambda: seen


def main(point: str, words: list[str], command: str | None = None) -> None:
    kind, _, rest = point.partition(":")
    if command is not None:
        kill_around(kind, rest, doing(command))
        program.run(["invoke", *words])
        return
    count: Callable[[], int] = lambda: 0  # noqa: E731
    if kind in ("before", "after"):
        kill_around(kind, rest)
    elif kind.endswith("-sql"):
        kill_around_statement(kind, rest)
    elif kind.endswith("-call"):
        kill_around_call(kind, rest)
    else:
        count = kill_ahead_of_effect(int(rest) if kind == "effect" else 0)
    try:
        program.run(["invoke", *words])
    except SystemExit:
        pass
    print(count(), file=sys.stderr)
    sys.exit(0 if point == "count" else NOT_REACHED)


if __name__ == "__main__":
    before, words = sys.argv[: sys.argv.index("--")], sys.argv[sys.argv.index("--") + 1 :]
    main(before[1], words, before[3] if before[2:3] == ["--do"] else None)
