"""The same as `rekeying` for a database in quarantine that comes back: it is as it was put aside until it is live."""

from __future__ import annotations

from runbooks.engine.step import Scope
from runbooks.steps.going_back import Returning, mark_aside
from runbooks.steps.rekeying import Rekeying
from runbooks.systems.postgres.quarantine import readable
from runbooks.systems.postgres.side_table import SideStage


def rekey(returning: Returning, scope: Scope) -> str:
    """Encrypt anew what is under another key than that of now. The way back stays. Raises as `Rekeying.encrypt`."""
    with readable(returning.snapshots.access, returning.name):
        return _aside(returning).encrypt(scope)


def rekeyed(returning: Returning, _scope: Scope) -> bool:
    """Whether the application could open every row of what comes back, or it is back."""
    if mark_aside(returning) is None:
        return True
    with readable(returning.snapshots.access, returning.name):
        ours = _aside(returning)
        stage = ours.stage()
        return stage is SideStage.SWAPPED or (stage is None and ours.all_open())


def take_back(returning: Returning, _scope: Scope) -> str:
    """Have its rows as they were put aside."""
    if mark_aside(returning) is None:
        return f"{returning.name} is live, so its rows stay as they are"
    with readable(returning.snapshots.access, returning.name):
        return _aside(returning).take_back()


def forget(returning: Returning, _scope: Scope) -> str:
    """Drop what only the way back needed."""
    return "the side table is dropped" if _live(returning).forget() else "there is nothing to drop"


def forgotten(returning: Returning, _scope: Scope) -> bool:
    return _live(returning).stage() is None


def _aside(returning: Returning) -> Rekeying:
    return Rekeying(returning.snapshots, returning.run, returning.name)


def _live(returning: Returning) -> Rekeying:
    return Rekeying(returning.snapshots, returning.run, returning.live)
