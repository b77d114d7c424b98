"""What reading a snapshot to its end came to: one object for each snapshot in the store, of the last time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from runbooks.engine.store import Store
from runbooks.systems.snapshots.manifest import decode, encode
from runbooks.systems.store.objects import Objects

ROOT = "inspections/"


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """One look at every byte.

    Attributes:
        at: When it ended.
        problems: What was wrong; nothing: all objects were as they had been written.
    """

    schema: int = 1
    run: str
    snapshot: str
    at: datetime
    objects: int
    problems: tuple[str, ...] = ()


def put(store: Store, inspection: Inspection) -> None:
    """Keep it, in place of the one before. Of two that end at once, one is kept."""
    name = _name(inspection.snapshot)
    before = store.get(name)
    store.put(name, encode(inspection), replaces=before.version if before else None)


def of_snapshot(store: Store, id: str) -> Inspection | None:
    """The last look at this snapshot; None: there was none. Raises InputError if the object is damaged."""
    stored = store.get(_name(id))
    return decode(stored.body, Inspection, f"{_name(id)} in {store}") if stored else None


def forget(objects: Objects, id: str) -> None:
    """Remove what is kept of a snapshot that is removed itself."""
    objects.remove(_name(id))


def _name(id: str) -> str:
    return f"{ROOT}{id}.json"
