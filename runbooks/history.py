"""Looks back: what ran, how it ended, whether its record is intact, and who is at work now."""

from __future__ import annotations

import sys

from runbooks.engine import audit, lease, runs
from runbooks.engine.confirm import confirm
from runbooks.engine.errors import InputError
from runbooks.engine.journal import FILE_NAME, read_chain
from runbooks.places import open_environment, open_run, runs_of, store_of
from runbooks.report import console, markdown

DAMAGED = 3


def show_list(environment: str | None) -> None:
    """Print one line per run, oldest first."""
    root = runs_of(open_environment(environment))
    console.runs_table([runs.summary(folder) for folder in runs.folders(root)], sys.stdout)


def show_run(run: str, environment: str | None) -> None:
    """Print a run's log, rendered anew from its journal.

    Raises:
        InputError: there is no such run, or its journal is damaged; what holds of it is printed first.
    """
    _, folder = open_run(run, environment)
    chain = read_chain(folder / FILE_NAME)
    if chain.records:
        sys.stdout.write(markdown.render(chain.records))
    if chain.break_line is not None or not chain.records:
        raise InputError(
            "the journal is damaged from here on" if chain.records else "the journal holds no record",
            where=f"{folder / FILE_NAME}:{chain.break_line or 1}",
            found=chain.problem,
            mend="invoke runs.audit",
        )


def show_audit(environment: str | None) -> int:
    """Check every run's journal, log and anchor; the exit code says whether all are as they were written."""
    opened = open_environment(environment)
    count, damage = audit.audit(runs_of(opened), store_of(opened))
    for found in damage:
        print(f"✗ {found.run}: {found.where}: {found.found}")
    if damage:
        print(
            f"not as they were written: {len(damage)} of what {count} runs of {opened.label} left; compare with a copy"
        )
        return DAMAGED
    told = f"1 run of {opened.label} is as it was" if count == 1 else f"{count} runs of {opened.label} are as they were"
    print(f"{told} written")
    return 0


def show_lease(environment: str | None) -> None:
    """Print who holds the environment's lease."""
    opened = open_environment(environment)
    current, _ = lease.read(store_of(opened))
    if current is None or not current.run:
        print(
            f"nobody is changing {opened.label}"
            + (f"; last broken {current.broken}" if current and current.broken else "")
        )
    else:
        state = " (its holder is gone)" if current.holder_gone else " (expired)" if current.expired else ""
        print(f"{opened.label} is held by {current.describe()}{state}, token {current.token}")


def break_lease(environment: str | None, reason: str, given: str | None) -> None:
    """Take the lease from its holder.

    Raises:
        InputError: nobody holds it, there is no reason, or a protected environment was not confirmed.
    """
    opened = open_environment(environment)
    store = store_of(opened)
    if opened.protected:
        current, _ = lease.read(store)
        shown = [f"the lease of {current.describe()} is taken away"] if current and current.run else []
        confirm(
            opened.name,
            shown,
            given=given,
            ask=input if sys.stdin.isatty() else None,
            show=print,
        )
    lost = lease.break_lease(store, reason=reason)
    print(f"taken from {lost.describe()}; its next effect is refused. See how far it came: invoke runs.show {lost.run}")
