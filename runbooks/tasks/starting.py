"""What the tasks share: the words for their options, and how a command begins and ends."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from invoke.collection import Collection
from invoke.context import Context
from invoke.exceptions import Exit

from runbooks.engine.errors import RunbookError

ENV = "environment: a folder in inventory/ (default: RUNBOOKS_ENV, else the embedded sandbox while it is the only one)"
PLAN = "show what would be done; everything is read, nothing is changed"
CONFIRM = "the environment's name, instead of typing it (needed without a terminal for a protected environment)"
SNAPSHOT = "a snapshot's id, its beginning or end, or 'newest' (the default)"
REASON = "why, for whoever meets the lease or reads the log"
RELEASE = "a release's id, its beginning or end, its version or its commit (default: the one that runs)"
RUN = "a run's id, its beginning or end, or 'latest'"


def finish(call: Callable[[], int | None]) -> None:
    """Turn a returned exit code, or an error that an operator can cause, into this process's."""
    try:
        code = call()
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has seen enough; what is left would be told of when Python ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise Exit(code=128 + signal.SIGPIPE) from None
    except RunbookError as error:
        raise Exit(str(error), code=error.exit_code) from error
    except KeyboardInterrupt:
        raise Exit("stopped before anything was begun", code=130) from None
    if code:
        raise Exit(code=code)


def change(c: Context, call: Callable[[], int | None]) -> None:
    """As `finish`, for a command that changes something and has no plan to show: ``--dry`` refuses it."""
    if c.config.run.dry:
        raise Exit("this command has no plan, so with --dry it does nothing; leave --dry out to do it", code=2)
    finish(call)


def start(c: Context, name: str, *, plan: bool = False, **options: Any) -> None:
    """Start the runbook of that name."""
    from runbooks import command

    dry = plan or bool(c.config.run.dry)
    finish(lambda: command.start(name, command.Options(plan=dry, **options)))


def start_on(c: Context, name: str, snapshot: str, *, plan: bool = False, **options: Any) -> None:
    """Start the runbook of that name on a snapshot that is looked up first."""
    from runbooks import command, snapshots

    dry = plan or bool(c.config.run.dry)
    finish(lambda: snapshots.start(name, snapshot, command.Options(plan=dry, **options)))


def collection(name: str, *tasks: Any) -> Collection:
    """The tasks of one family under its name."""
    made = Collection(name)
    for each in tasks:
        made.add_task(each)
    return made
