"""Drops the side tables of re-encryptions that killed runs have left; see `reencryption`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from runbooks.engine.errors import SystemFault
from runbooks.engine.step import Scope
from runbooks.steps import remains
from runbooks.steps.pruning import SERVER, Pruning, each_removed
from runbooks.systems.postgres.side_table import SideStage, SideTable, found

Judged = Mapping[SideTable, str]
"""Each side table of the database: why it is kept, or nothing."""


def judged(work: Pruning) -> Judged:
    """One that was swapped in is the way back, and stays; another one is only work that a resumed run does again.

    Raises:
        SystemFault: the database can't be asked.
    """
    with work.snapshots.access.connection() as connection:
        return {side: _kept(work, side, stage) for side, stage in found(connection)}


def plan(work: Pruning) -> Iterable[str]:
    """What becomes of each."""
    try:
        tables = judged(work)
    except SystemFault as fault:
        yield f"not looked at: {fault.what}"
        return
    for side, kept in tables.items():
        yield f"keep    {side}: {kept}" if kept else f"DROP TABLE {side}"


def noted(work: Pruning) -> Mapping[str, Sequence[str] | str]:
    """Their names, before any is dropped."""
    try:
        return {"names": [str(side) for side, kept in judged(work).items() if not kept]}
    except SystemFault as fault:
        return {"names": [], "unasked": fault.what}


def drop(work: Pruning, scope: Scope) -> str:
    """Drop those that were noted and that still nothing speaks for."""
    names, unasked = scope.before["names"], scope.before.get("unasked")
    if unasked:
        work.failed[SERVER] = f"not asked what is left there: {unasked}"
    if not names:
        return unasked or "nothing to do"
    left = {str(side): side for side, kept in judged(work).items() if not kept}
    with work.snapshots.access.connection() as connection:
        return each_removed(
            work,
            scope,
            "side tables",
            [name for name in names if name in left],
            lambda name: left[name].drop(connection),
        )


def dropped(work: Pruning, scope: Scope) -> bool:
    """Whether none of those that were noted is left."""
    if scope.before.get("unasked"):
        return SERVER in work.failed
    wanted = set(scope.before["names"]) - set(work.failed)
    return not wanted or not wanted & {str(side) for side, kept in judged(work).items() if not kept}


def _kept(work: Pruning, side: SideTable, stage: SideStage) -> str:
    if stage is SideStage.SWAPPED:
        return f"run {side.run} goes back by it; resume or abort that run"
    return "" if remains.over(work.runs, side.run) else f"run {side.run} is at work on it"
