"""Faults that show only beside a past: they let a watch really look first, or set the ledger's clock.

No sample and no rehearsal is made up. What was really seen may be moved in time, as if it had been seen earlier, or be
taken away, as if nobody had looked. The ledger as it was is kept beside it, and comes back with the mending.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import LiteralString

from runbooks.engine.redact import Redactor
from runbooks.engine.wait import until
from runbooks.environment.load import load
from runbooks.environment.site import Site
from runbooks.sandbox.faults.fault import Change, Means
from runbooks.sandbox.faults.means import LOCAL
from runbooks.sandbox.world import Sandbox
from runbooks.steps.load import Rehearsal, told
from runbooks.steps.watch import SINCE_AN_HOUR, take
from runbooks.systems.ledger.ledger import REHEARSAL, Entry, Ledger
from runbooks.systems.load.generator import generate

Moved = Callable[[Entry], Entry | None]
"""Where an entry belongs in time; None: nobody had looked."""


def after_samples(count: int, means: Means) -> Means:
    """Watch what runs now, then inject."""

    def inject(sandbox: Sandbox) -> None:
        sample(sandbox, count)
        means.inject(sandbox)

    return Means(inject, means.mend, restarts=means.restarts)


def sample(sandbox: Sandbox, count: int) -> None:
    """Take so many samples of what runs, one right after the other."""
    site = site_of(sandbox)
    try:
        for _ in range(count):
            take(site, SINCE_AN_HOUR)
    finally:
        site.close()
    sandbox.forget_rate_limits()  # as if the samples had been minutes apart


def site_of(sandbox: Sandbox) -> Site:
    """The environment as its operator sees it."""
    return Site(load(sandbox.project / "inventory", LOCAL), Redactor())


def ledger(change: Change, also: Means | None = None) -> Means:
    """Change the ledger; the way back is a copy that is made first."""

    def inject(sandbox: Sandbox) -> None:
        folder, kept = _folders(sandbox)
        if also:
            also.inject(sandbox)
        if not kept.exists():  # there is one if it was injected before
            half = kept.with_suffix(".half")
            shutil.rmtree(half, ignore_errors=True)
            shutil.copytree(folder, half)
            half.rename(kept)
        change(sandbox)

    def mend(sandbox: Sandbox) -> None:
        folder, kept = _folders(sandbox)
        if kept.exists():
            shutil.rmtree(folder, ignore_errors=True)
            kept.rename(folder)
        if also:
            also.mend(sandbox)

    return Means(inject, mend, restarts=bool(also and also.restarts))


def moved(move: Moved) -> Change:
    """Move each entry to where it belongs."""

    def change(sandbox: Sandbox) -> None:
        folder, _ = _folders(sandbox)
        of = Ledger(folder)
        entries = of.read().entries
        for path in folder.glob("*.jsonl"):
            path.unlink()
        for entry in filter(None, map(move, entries)):
            with of.path_of(entry).open("ab") as file:
                file.write(entry.line())

    return change


def earlier(by: timedelta) -> Change:
    """All of it was seen that much earlier."""
    return moved(lambda entry: replace(entry, at=entry.at - by))


def rehearsals_earlier(by: timedelta) -> Change:
    """The load was rehearsed that much earlier."""
    return moved(lambda entry: replace(entry, at=entry.at - by) if entry.kind == REHEARSAL else entry)


def spread_over(span: timedelta, count: int) -> Change:
    """Sample, and have those samples spread evenly over a time that ends now; nothing else was seen."""

    def change(sandbox: Sandbox) -> None:
        moved(lambda entry: entry if entry.kind == REHEARSAL else None)(sandbox)
        sample(sandbox, count)
        now, numbers = datetime.now(UTC), iter(range(count))

        def place(entry: Entry) -> Entry:
            if entry.kind == REHEARSAL:
                return entry
            back = span * (1 - next(numbers) / (count - 1))
            return replace(entry, at=now - back)

        moved(place)(sandbox)

    return change


def without_rehearsals(sandbox: Sandbox) -> None:
    """Nobody has rehearsed."""
    moved(lambda entry: None if entry.kind == REHEARSAL else entry)(sandbox)


def rehearse(sandbox: Sandbox) -> None:
    """Rehearse the declared load on what runs now."""
    import threading

    site = site_of(sandbox)
    try:
        declared = site.environment.load
        work = Rehearsal(site, declared.rate or 1.0, declared.minutes)
        found = told(work, generate(work.order, threading.Event()))
        site.ledger.append(REHEARSAL, site.commit or "", found)
    finally:
        site.close()


def rehearsed_on(build: Means) -> Change:
    """Rehearse on another build, then put the usual one back: the rehearsal is what stays."""

    def change(sandbox: Sandbox) -> None:
        build.inject(sandbox)
        try:
            rehearse(sandbox)
        finally:
            build.mend(sandbox)

    return change


def until_seen(usual: Means, look: Callable[[Sandbox], Callable[[], bool]]) -> Means:
    """Inject, and wait until what it does is there. ``look`` is called before; what it gives, until that is true."""

    def inject(sandbox: Sandbox) -> None:
        seen = look(sandbox)
        usual.inject(sandbox)
        until(seen, seconds=20, what="what was injected does not show")

    return Means(inject, usual.mend, restarts=usual.restarts)


def logged(words: str) -> Callable[[Sandbox], Callable[[], bool]]:
    """From now on, the application's log says this."""

    def look(sandbox: Sandbox) -> Callable[[], bool]:
        log = sandbox.layout.log(sandbox.active_program(LOCAL))
        before = log.stat().st_size

        def seen() -> bool:
            with log.open("rb") as file:
                file.seek(before if log.stat().st_size >= before else 0)  # it was rotated
                return words.encode() in file.read()

        return seen

    return look


def idle_in_transaction(seconds: float) -> Callable[[Sandbox], Callable[[], bool]]:
    """A transaction has been left open for that long."""
    query = (
        "SELECT coalesce(max(extract(epoch FROM now() - xact_start)), 0) > %s"
        " FROM pg_stat_activity WHERE state = 'idle in transaction' AND datname = current_database()"
    )

    return _true(query, seconds)


def waiting_for_a_lock(seconds: float) -> Callable[[Sandbox], Callable[[], bool]]:
    """Somebody has waited for a lock for that long."""
    query = (
        "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - waitstart)), 0) > %s"
        " FROM pg_locks WHERE NOT granted"
    )
    return _true(query, seconds)


def dead_rows(least: int) -> Callable[[Sandbox], Callable[[], bool]]:
    """The database's statistics count so many dead rows in a table; they come a moment after the rows."""
    return _true("SELECT coalesce(max(n_dead_tup), 0) >= %s FROM pg_stat_user_tables", least)


def _true(query: LiteralString, value: float) -> Callable[[Sandbox], Callable[[], bool]]:
    def look(sandbox: Sandbox) -> Callable[[], bool]:
        def seen() -> bool:
            with sandbox.superuser(LOCAL) as connection:
                return connection.execute(query, [value]).fetchone() == (True,)

        return seen

    return look


def _folders(sandbox: Sandbox) -> tuple[Path, Path]:
    """The ledger's folder, and where it is kept as it was."""
    folder = sandbox.project / "var" / "watch" / LOCAL
    folder.mkdir(parents=True, exist_ok=True)
    return folder, folder.with_name(f"{LOCAL}.kept")
