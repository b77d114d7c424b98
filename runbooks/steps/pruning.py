"""Removes snapshots that need not be kept any more, and what runs that were killed have left behind."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from runbooks.engine.errors import InputError, SystemFault
from runbooks.engine.step import Scope
from runbooks.environment.snapshots import Snapshots
from runbooks.steps import remains
from runbooks.steps.remains import Shelved
from runbooks.systems.postgres.siblings import drop_unused
from runbooks.systems.postgres.subscriptions import leave_publishers
from runbooks.systems.snapshots import inspections
from runbooks.systems.snapshots.shelf import Shelf, place

SERVER = "the database's server"


@dataclass
class Pruning:
    """What the steps share.

    Attributes:
        runs: The folder of the environment's runs on this machine.
        failed: What could not be removed, and why.
        removed: How many of each kind were.
    """

    snapshots: Snapshots
    run: str
    runs: Path
    failed: dict[str, str] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)

    @property
    def shelf(self) -> Shelf:
        return self.snapshots.shelf

    def shelved(self) -> Shelved:
        """The snapshots as they are now, each with what speaks for keeping it."""
        return remains.shelved(self.snapshots, self.runs)

    def unfinished(self) -> Sequence[str]:
        """Snapshots without a manifest that nobody makes any more."""
        return [id for id in self.shelf.unfinished() if not remains.makes(self.runs, id)]

    def halves(self) -> Sequence[str]:
        """Snapshots that are whole and hold writes, besides, that did not end."""
        begun = {name.split("/")[1] for name in self.shelf.objects.unfinished("snapshots/")}
        return sorted(begun & set(self.shelf.ids()))

    def scratch(self) -> Sequence[str]:
        """Databases that a killed run has left. Raises SystemFault if the server can't be asked."""
        return [name for name, kept in self.siblings().items() if not kept]

    def siblings(self) -> Mapping[str, str]:
        """Every database that this tool has made beside the application's: why it is kept, or nothing."""
        return remains.siblings(self.snapshots, self.runs)

    def servers(self) -> Sequence[str]:
        """Folders on this machine with a server of a drill's own, of runs that are over."""
        return remains.servers(self.snapshots, self.runs)

    def folders(self) -> Sequence[str]:
        """Folders on this machine with a dump or an archive, of runs that are over."""
        root = self.snapshots.work("")
        found = sorted(path.name for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
        return [name for name in found if name != self.run and remains.over(self.runs, name)]


def look(work: Pruning, scope: Scope) -> str:
    """Find out what is kept, and why; nothing is changed."""
    shelved = work.shelved()
    scope.record("retention", kept=shelved.kept, removed=shelved.spare)
    return f"{len(shelved.kept)} snapshots are kept, {len(shelved.spare)} need not be"


def plan_snapshots(work: Pruning) -> Iterable[str]:
    """Every snapshot, and what becomes of it."""
    shelved = work.shelved()
    if not shelved.judged:
        yield "no [backup.keep] in the inventory: every snapshot is kept"
    for id, reasons in shelved.kept.items():
        yield f"keep    {id}  {', '.join(reasons)}"
    for id in shelved.spare:
        yield f"remove  {id}"


def plan_remains(work: Pruning) -> Iterable[str]:
    """What killed runs have left in the store."""
    yield from (f"remove  {place(id, '')}, which has no manifest" for id in work.unfinished())
    yield from (f"abort the unfinished writes below {place(id, '')}" for id in work.halves())


def plan_scratch(work: Pruning) -> Iterable[str]:
    """The databases beside the application's, and what becomes of each."""
    try:
        found = work.siblings()
    except SystemFault as fault:
        yield f"not looked at: {fault.what}"
        return
    for name, kept in found.items():
        yield f"keep    {name}: {kept}" if kept else f"DROP DATABASE {name}"


def plan_folders(work: Pruning) -> Iterable[str]:
    """The folders on this machine."""
    yield from (f"remove  {work.snapshots.work(name)}" for name in work.folders())


def plan_servers(work: Pruning) -> Iterable[str]:
    """The servers of drills' own."""
    yield from (f"end the server in {work.snapshots.work(name)}, and remove it" for name in work.servers())


def noted_snapshots(work: Pruning) -> Mapping[str, Sequence[str]]:
    return {"names": list(work.shelved().spare)}


def noted_remains(work: Pruning) -> Mapping[str, Sequence[str]]:
    return {"names": list(work.unfinished()), "halves": list(work.halves())}


def noted_scratch(work: Pruning) -> Mapping[str, Sequence[str] | str]:
    try:
        return {"names": list(work.scratch())}
    except SystemFault as fault:
        return {"names": [], "unasked": fault.what}


def noted_folders(work: Pruning) -> Mapping[str, Sequence[str]]:
    return {"names": list(work.folders())}


def remove_snapshots(work: Pruning, scope: Scope) -> str:
    """Remove those that were noted and that still nothing speaks for."""
    spare = work.shelved().spare

    def remove(id: str) -> None:
        work.shelf.remove(id)
        inspections.forget(work.shelf.objects, id)

    return each_removed(work, scope, "snapshots", [id for id in scope.before["names"] if id in spare], remove)


def snapshots_removed(work: Pruning, scope: Scope) -> bool:
    return _gone(work, scope, lambda: work.shelved().spare)


def remove_remains(work: Pruning, scope: Scope) -> str:
    """Remove what has no manifest, and what writes that did not end have left."""
    left = work.unfinished()
    told = each_removed(
        work, scope, "unfinished snapshots", [id for id in scope.before["names"] if id in left], work.shelf.clear
    )
    halves = sum(work.shelf.objects.abandon(place(id, "")) for id in scope.before["halves"])
    return f"{told}; {halves} unfinished writes aborted" if halves else told


def remains_removed(work: Pruning, scope: Scope) -> bool:
    return _gone(work, scope, work.unfinished) and not set(scope.before["halves"]) & set(work.halves())


def drop_scratch(work: Pruning, scope: Scope) -> str:
    """Drop the databases that killed runs have left, unless somebody is in one."""
    names, unasked = scope.before["names"], scope.before.get("unasked")
    if unasked:
        work.failed[SERVER] = f"not asked what is left there: {unasked}"
    if not names:
        return unasked or "nothing to do"
    left = work.scratch()
    with work.snapshots.access.connection() as connection:

        def drop(name: str) -> None:
            leave_publishers(work.snapshots.access, name)
            if not drop_unused(connection, name):
                work.failed[name] = "somebody is connected to it"

        return each_removed(work, scope, "databases", [name for name in names if name in left], drop)


def scratch_dropped(work: Pruning, scope: Scope) -> bool:
    if scope.before.get("unasked"):
        return SERVER in work.failed
    return not scope.before["names"] or _gone(work, scope, work.scratch)


def noted_servers(work: Pruning) -> Mapping[str, Sequence[str]]:
    return {"names": list(work.servers())}


def remove_servers(work: Pruning, scope: Scope) -> str:
    """End servers of drills that were killed, and remove their data."""
    left = work.servers()
    names = [name for name in scope.before["names"] if name in left]
    return each_removed(work, scope, "servers", names, lambda name: remains.remove_server(work.snapshots, name))


def servers_removed(work: Pruning, scope: Scope) -> bool:
    return _gone(work, scope, work.servers)


def remove_folders(work: Pruning, scope: Scope) -> str:
    """Remove dumps and archives from this machine."""
    left = work.folders()
    names = [name for name in scope.before["names"] if name in left]
    return each_removed(work, scope, "folders", names, lambda name: shutil.rmtree(work.snapshots.work(name)))


def folders_removed(work: Pruning, scope: Scope) -> bool:
    return _gone(work, scope, work.folders)


def each_removed(work: Pruning, scope: Scope, kind: str, names: Sequence[str], remove: Callable[[str], object]) -> str:
    """Remove one after the other; what can't be removed does not keep the rest."""
    count = 0
    for name in names:
        if scope.stopping:
            break
        try:
            remove(name)
        except (SystemFault, InputError, OSError) as error:
            work.failed[name] = str(error) if isinstance(error, OSError) else error.what
        if name not in work.failed:
            scope.record("pruned", what=kind, name=name)
            count += 1
    work.removed[kind] = work.removed.get(kind, 0) + count
    return f"{count} {kind} removed" if names else "nothing to do"


def _gone(work: Pruning, scope: Scope, left: Callable[[], Sequence[str]]) -> bool:
    noted = set(scope.before["names"]) - set(work.failed)
    return not (noted and noted & set(left()))
