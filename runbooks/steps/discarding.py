"""Drops a database in quarantine, once nothing speaks for it any more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.step import Scope, State
from runbooks.environment.snapshots import Snapshots
from runbooks.steps.making import size
from runbooks.steps.quarantined import find
from runbooks.systems.postgres import quarantine
from runbooks.systems.postgres.quarantine import Aside
from runbooks.systems.releases.ledger import Releases
from runbooks.systems.releases.record import Kind
from runbooks.systems.snapshots import exports

DAYS = 30
"""For so long nothing in quarantine is dropped without ``--young``: whoever misses a row may not have noticed yet."""


@dataclass
class Discarding:
    """What the steps share. ``young``: the operator has said that its age is no reason."""

    snapshots: Snapshots
    name: str
    young: bool

    def aside(self) -> Aside:
        return find(self.snapshots, self.name)


def look(work: Discarding, _scope: Scope) -> str:
    """Find out whether something speaks for it; nothing is changed."""
    if not quarantine.is_there(work.snapshots.access, work.name):
        return f"{work.name} is gone"
    return survey(work)


def survey(work: Discarding) -> str:
    """What would be dropped.

    Raises:
        InputError: something speaks for it, or it is not in quarantine.
        SystemFault: the server or the store can't be asked.
    """
    aside = work.aside()
    against = list(reasons(work, aside))
    if against:
        raise InputError(
            "this database is kept",
            where=aside.name,
            found="; ".join(against),
            mend="export what is needed (invoke quarantine.export); younger ones only with --young",
        )
    return f"{said(aside)}, put aside at {aside.mark.at} by run {aside.mark.run}; {exported(work.snapshots, aside)}"


def exported(snapshots: Snapshots, aside: Aside) -> str:
    """What of it was written to files, so that it stays; or that nothing was.

    Raises:
        InputError: the record of an export is damaged.
        SystemFault: the store can't be asked.
    """
    known = exports.of_database(snapshots.shelf, aside.name)
    if not known:
        return f"nothing of it was ever exported: invoke quarantine.export --database {aside.name} --store"
    stored = [each for each in known if each.archive]
    return f"exported: {(stored or known)[-1]}"


def reasons(work: Discarding, aside: Aside) -> Iterator[str]:
    """What speaks for keeping it."""
    if way_back(work.snapshots, aside):
        yield f"invoke rollback --undo {aside.mark.run} would bring it back"
    age = datetime.now(UTC) - aside.at
    if age < timedelta(days=DAYS) and not work.young:
        yield f"it was put aside {age.days} days ago; {DAYS} is the least"


def way_back(snapshots: Snapshots, aside: Aside) -> bool:
    """Whether the last that happened to releases is the rollback that put it aside, so that it can still be undone."""
    entries = [
        each
        for each in Releases(snapshots.shelf.store).entries()
        if each.kind in (Kind.DEPLOYED, Kind.ROLLED_BACK, Kind.UNDONE)
    ]
    return bool(entries) and entries[-1].kind is Kind.ROLLED_BACK and entries[-1].run == aside.mark.run


def noted(work: Discarding) -> State:
    """What will be gone, for the journal."""
    if not quarantine.is_there(work.snapshots.access, work.name):
        return {}
    aside = work.aside()
    return {"database": aside.name, "bytes": aside.bytes, "mark": vars(aside.mark)}


def drop(work: Discarding, _scope: Scope) -> str:
    """Drop it. There is no way back from this.

    Raises:
        SystemFault: somebody is connected to it.
    """
    if not quarantine.discard(work.snapshots.access, work.name):
        raise SystemFault(
            "somebody is connected to the database, so it is not dropped",
            reason=Reason.REFUSED,
            where=work.name,
            mend="see who in pg_stat_activity; an export may be going on",
        )
    return f"{work.name} is gone"


def dropped(work: Discarding, _scope: Scope) -> bool:
    return not quarantine.is_there(work.snapshots.access, work.name)


def plan(work: Discarding) -> Iterable[str]:
    """What would be dropped."""
    yield f"DROP DATABASE {survey(work)}"


def said(aside: Aside) -> str:
    """Its name and size."""
    return f"{aside.name} ({size(aside.bytes) if aside.bytes is not None else 'size unknown'})"
