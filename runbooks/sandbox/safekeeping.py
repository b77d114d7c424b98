"""What a timer does elsewhere: a snapshot of the sandbox's database every day, and a drill every quarter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from runbooks.engine.errors import RunbookError
from runbooks.engine.redact import Redactor
from runbooks.environment.load import load
from runbooks.environment.site import Site
from runbooks.systems.snapshots import drills
from runbooks.systems.snapshots.shelf import Shelf

NAME = "local"
DAY, QUARTER = timedelta(days=1), timedelta(days=90)


def due(project: Path) -> list[str]:
    """Which runbooks it is time for. A store that can't be read is for the checks to tell of."""
    try:
        site = Site(load(project / "inventory", NAME), Redactor())
        try:
            return [
                name for name, is_due in (("backup.create", _snapshot), ("backup.drill", _drill)) if is_due(site.shelf)
            ]
        finally:
            site.close()
    except RunbookError:
        return []


def _snapshot(shelf: Shelf) -> bool:
    known = shelf.ids()
    newest = shelf.manifest(known[-1]) if known else None
    return newest is None or datetime.now(UTC) - newest.taken > DAY


def _drill(shelf: Shelf) -> bool:
    known, damage = drills.readable(shelf.store)
    return not damage and (not known or datetime.now(UTC) - known[-1].ended > QUARTER)
