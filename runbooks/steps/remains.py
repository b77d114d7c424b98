"""What is left of snapshots and restores: which snapshot something speaks for, and which run is over."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from runbooks.engine import runs
from runbooks.engine.errors import InputError, SystemFault
from runbooks.engine.journal import FILE_NAME, goes_on
from runbooks.environment.hosting import KEEP
from runbooks.environment.snapshots import CLUSTER, Snapshots
from runbooks.steps.restoring import FILLED, FILLING, MADE, tail_of
from runbooks.systems.postgres.quarantine import put_aside
from runbooks.systems.postgres.siblings import Sibling
from runbooks.systems.postgres.siblings import siblings as databases_beside
from runbooks.systems.releases.ledger import Releases
from runbooks.systems.releases.needed import snapshots_named, snapshots_needed
from runbooks.systems.snapshots import drills
from runbooks.systems.snapshots.retention import Taken, kept
from runbooks.systems.snapshots.shelf import new_id

STRANGE = timedelta(days=1)
"""A run that this machine has no journal of counts as over after so long: no step of any takes longer."""

DRILL = "backup.drill"
"""Its restored database is thrown away, also once it is proven."""


@dataclass(frozen=True)
class Shelved:
    """The snapshots, judged.

    Attributes:
        kept: By id, oldest first: what speaks for it.
        spare: The others.
        judged: Whether the inventory says what is kept.
    """

    kept: Mapping[str, Sequence[str]]
    spare: Sequence[str]
    judged: bool


def shelved(snapshots: Snapshots, root: Path) -> Shelved:
    """What speaks for each snapshot: the inventory's numbers, the way back, the last proof, and being the newest.

    Args:
        snapshots: Those of the environment.
        root: The folder of the environment's runs on this machine.

    Raises:
        InputError: the record of a drill or a release is damaged, so nobody knows what it speaks for.
        SystemFault: the store can't be asked.
    """
    shelf, keep = snapshots.shelf, snapshots.environment.backup.keep
    ids = shelf.ids()
    reasons: dict[str, list[str]] = {id: [] for id in ids}
    ours = [taken for id in ids if (taken := _taken(snapshots, id, reasons[id]))]
    for id, why in (kept(ours, keep) if keep else {taken.id: ["no [backup.keep]"] for taken in ours}).items():
        reasons[id] += why
    for id in {*ids[-1:], *(taken.id for taken in sorted(ours, key=lambda taken: taken.at)[-1:])}:
        reasons[id].append("the newest")
    if proven := _last_proven(snapshots, ids):
        reasons[proven].append("the last one that a drill has proven")
    for folder in runs.folders(root):
        if (id := new_id(folder.name)) in reasons and _waits(folder):
            reasons[id].append(f"run {folder.name} can still be resumed or taken back")
    for id, way in _needed(snapshots).items():
        reasons.get(id, []).append(way)
    return Shelved({id: why for id, why in reasons.items() if why}, [id for id in ids if not reasons[id]], bool(keep))


def _taken(snapshots: Snapshots, id: str, reasons: list[str]) -> Taken | None:
    """When a snapshot of ours was taken; what is not ours, or not readable, is kept, and the reason is added."""
    try:
        manifest = snapshots.shelf.manifest(id)
    except InputError as error:
        reasons.append(f"its manifest can't be read: {error.found or error.what}")
        return None
    here = (snapshots.environment.name, snapshots.database)
    if manifest is None or (manifest.environment, manifest.database) != here:
        reasons.append("it is another database's")
        return None
    return Taken(id, manifest.taken)


def _needed(snapshots: Snapshots) -> Mapping[str, str]:
    """What ways back and databases in quarantine need; of a server that is silent, whatever the ledger names."""
    releases, hosts = Releases(snapshots.shelf.store), snapshots.environment.platform.hosts
    try:
        aside = put_aside(snapshots.access, snapshots.database)
    except SystemFault:
        return snapshots_named(releases)
    restored = {each.mark.snapshot: f"it was restored when {each.name} was put aside" for each in aside}
    return {**restored, **snapshots_needed(releases, keep=hosts.keep if hosts else KEEP)}


def _last_proven(snapshots: Snapshots, ids: Sequence[str]) -> str | None:
    known = sorted(drills.drills(snapshots.shelf.store), key=lambda drill: drill.ended)
    proven = [each.snapshot for each in known if each.verdict in (drills.PROVEN, drills.MISSED)]
    return next((id for id in reversed(proven) if id in ids), None)


def over(root: Path, run: str) -> bool:
    """Whether nobody is at work on this run any more.

    Args:
        root: The folder of the environment's runs on this machine.
        run: Its id; what is none is never over.
    """
    folder = root / run
    if (folder / FILE_NAME).exists():
        return not goes_on(folder / FILE_NAME) and not _waits(folder)
    try:
        return datetime.now(UTC) - runs.began(run) > STRANGE
    except ValueError:
        return False


def servers(snapshots: Snapshots, root: Path) -> Sequence[str]:
    """The folders of servers that drills have started for themselves, of runs that are over."""
    work = snapshots.work("")
    found = sorted(path.name for path in work.glob(f"{CLUSTER}*")) if work.is_dir() else []
    return [name for name in found if _server_is_over(work / name, root)]


def _server_is_over(folder: Path, root: Path) -> bool:
    tail = folder.name.removeprefix(CLUSTER)
    whose = [each.name for each in runs.folders(root) if tail_of(each.name) == tail]
    if whose:
        return all(over(root, run) for run in whose)
    return datetime.now(UTC) - datetime.fromtimestamp(folder.stat().st_mtime, UTC) > STRANGE


def remove_server(snapshots: Snapshots, name: str) -> None:
    """End the server in this folder, and remove the folder. Where its data were never made, no server can run.

    Raises:
        InputError: there are no programs of its major version.
        SystemFault: it can't be ended.
    """
    folder = snapshots.work(name)
    version = folder / "data" / "PG_VERSION"
    if version.exists():
        snapshots.cluster(name.removeprefix(CLUSTER), int(version.read_text())).remove()
    else:
        shutil.rmtree(folder)


def _waits(folder: Path) -> bool:
    """Whether a run stopped half-way and a person may still go on with it; what only copies does its work again."""
    return not runs.runbook_of(folder.name).startswith("backup.") and runs.can_go_on(folder)


def makes(root: Path, snapshot: str) -> bool:
    """Whether a run may still be making this snapshot."""
    for folder in runs.folders(root):
        if new_id(folder.name) == snapshot:
            return goes_on(folder / FILE_NAME)
    try:
        began = datetime.strptime(snapshot[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return True
    return datetime.now(UTC) - began <= STRANGE


def siblings(snapshots: Snapshots, root: Path) -> Mapping[str, str]:
    """The databases that this tool has made beside the application's: why each is kept, or nothing.

    Raises:
        SystemFault: the server can't be asked.
    """
    found = databases_beside(snapshots.access, snapshots.database)
    return {each.name: _kept(each, root) for each in found if each.mark or each.blank}


def _kept(sibling: Sibling, root: Path) -> str:
    if sibling.sessions:
        return f"{sibling.sessions} sessions are in it"
    if sibling.mark is None:
        return ""
    run, state = sibling.mark.run, sibling.mark.state
    if state not in (MADE, FILLING, FILLED) and runs.runbook_of(run) != DRILL:
        return f"{state}, by run {run}; it is yours"
    return "" if over(root, run) else f"run {run} is at work on it"
