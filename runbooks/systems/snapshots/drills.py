"""What drills came to: one object each in the store, beside the snapshots that they prove."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from runbooks.engine.errors import InputError
from runbooks.engine.store import Store
from runbooks.systems.snapshots.manifest import decode, encode

ROOT = "drills/"
PROVEN, MISSED, FAILED = "proven", "missed", "failed"
"""Restored and equal; the same, but slower or older than the targets allow; not restored, or not equal."""


@dataclass(frozen=True, kw_only=True)
class Drill:
    """One drill.

    Attributes:
        verdict: `PROVEN`, `MISSED` or `FAILED`.
        snapshot: The snapshot that was restored.
        ended: When the drill was over.
        server: The server's major version.
        heads: The migrations that the restored schema is at.
        rto: Seconds from the decision to a proven database; None: it was interrupted, so nobody measured.
        rpo: Seconds by which the newest snapshot is older than the drill; None: not known, as clocks disagree.
        seconds: How long each stage took.
        found: What was wrong.
    """

    schema: int = 1
    run: str
    verdict: str
    snapshot: str
    ended: datetime
    server: int
    heads: tuple[str, ...] = ()
    tables: int = 0
    rows: int = 0
    bytes: int = 0
    rto: float | None = None
    rpo: float | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    found: tuple[str, ...] = ()


def put(store: Store, drill: Drill) -> None:
    """Keep it. The first word on a run counts."""
    store.put(_name(drill.run), encode(drill), replaces=None)


def of_run(store: Store, run: str) -> Drill | None:
    """What this run's drill came to; None: nothing yet. Raises InputError if the object is damaged."""
    stored = store.get(_name(run))
    return decode(stored.body, Drill, f"{_name(run)} in {store}") if stored else None


def drills(store: Store) -> Iterator[Drill]:
    """All of them, oldest first. Raises InputError at one that is damaged."""
    for name in store.names(ROOT):
        found = of_run(store, name.removeprefix(ROOT).removesuffix(".json"))
        if found:
            yield found


def readable(store: Store) -> tuple[list[Drill], list[str]]:
    """Those that can be read, oldest first, and what is wrong with each of the others.

    Raises:
        SystemFault: the store can't be asked.
    """
    found, damage = [], []
    for name in store.names(ROOT):
        try:
            drill = of_run(store, name.removeprefix(ROOT).removesuffix(".json"))
        except InputError as error:
            damage.append(f"{name}: {error.found or error.what}")
        else:
            found += [drill] if drill else []
    return sorted(found, key=lambda drill: drill.ended), damage


def _name(run: str) -> str:
    return f"{ROOT}{run}.json"
