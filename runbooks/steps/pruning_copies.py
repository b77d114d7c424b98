"""Removes copies of the variables that nothing needs any more: see `retention` for those that hold a key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from runbooks.engine.errors import InputError, RunbookError
from runbooks.engine.step import Scope
from runbooks.environment.hosting import KEEP
from runbooks.environment.key_ring import KEY
from runbooks.environment.variable_copies import VariableCopies
from runbooks.steps import remains
from runbooks.steps.pruning import Pruning, each_removed
from runbooks.systems.postgres.quarantine import put_aside
from runbooks.systems.postgres.siblings import siblings as databases_beside
from runbooks.systems.releases.ledger import Releases
from runbooks.systems.releases.needed import ways_back
from runbooks.systems.snapshots.retention import Taken, kept
from runbooks.systems.variables.copies import Copies, Copy
from runbooks.systems.variables.retention import Made, needed

ALL = "what needs it can't be told: "


@dataclass(frozen=True)
class Judged:
    """The copies: id → what speaks for it, oldest first; the others; and what killed runs left of some."""

    kept: Mapping[str, Sequence[str]]
    spare: Sequence[str]
    halves: Sequence[str]


def judged(work: Pruning) -> Judged:
    """What speaks for each copy: the inventory's numbers, a key that rows are under, the way back, being the newest.

    Where it can't be told which snapshots and databases are kept, every copy is.

    Raises:
        InputError: a record of a release is damaged.
        SystemFault: the store can't be asked.
    """
    copies, keep = _copies(work), work.snapshots.environment.backup.keep
    reasons: dict[str, list[str]] = {id: [] for id in copies.ids()}
    ours = [copy for id in reasons if (copy := _copy(copies, id, reasons[id]))]
    if keep is None:
        _add(reasons, {copy.id: ["no [backup.keep]"] for copy in ours})
    else:
        _add(reasons, kept([Taken(copy.id, copy.taken) for copy in ours], keep))
    try:
        made = [Made(copy.id, copy.taken, _key(copy)) for copy in ours]
        _add(reasons, needed(made, dict(_moments(work))))
    except (RunbookError, ValueError) as error:
        why = error.what if isinstance(error, RunbookError) else str(error)
        _add(reasons, {copy.id: [f"{ALL}{why}"] for copy in ours})
    _add(reasons, {id: [why] for id, why in _released(work).items()})
    _add(reasons, {copy.id: [f"run {copy.run} may go on"] for copy in ours if not remains.over(work.runs, copy.run)})
    _add(reasons, {copy.id: ["the newest"] for copy in sorted(ours, key=lambda each: each.taken)[-1:]})
    spare = [id for id, why in reasons.items() if not why]
    return Judged({id: why for id, why in reasons.items() if why}, spare, _halves(copies))


def plan(work: Pruning) -> Iterable[str]:
    """Every copy, and what becomes of it."""
    found = judged(work)
    for id, reasons in found.kept.items():
        more = f", and {len(reasons) - 3} more" if len(reasons) > 3 else ""
        yield f"keep    the variables {id}  {', '.join(reasons[:3])}{more}"
    yield from (f"remove  the variables {id}" for id in found.spare)
    yield from (f"remove  the variables {id}, which have no manifest" for id in found.halves)


def noted(work: Pruning) -> Mapping[str, Sequence[str]]:
    found = judged(work)
    return {"names": [*found.spare, *found.halves]}


def remove(work: Pruning, scope: Scope) -> str:
    """Remove those that were noted and that still nothing speaks for, each one's manifest first."""
    found = judged(work)
    left = {*found.spare, *found.halves}
    names = [name for name in scope.before["names"] if name in left]
    objects, copies = work.shelf.objects, _copies(work)
    return each_removed(work, scope, "copies of variables", names, lambda name: copies.remove(name, objects))


def removed(work: Pruning, scope: Scope) -> bool:
    """Whether none of those that were noted is left."""
    wanted = set(scope.before["names"]) - set(work.failed)
    if not wanted:
        return True
    found = judged(work)
    return not wanted & {*found.spare, *found.halves}


def _moments(work: Pruning) -> Iterator[tuple[str, datetime]]:
    """When the rows were as they are in whatever is kept of them.

    Raises:
        RunbookError: the server can't be asked, or a manifest can't be read.
        ValueError: a database was made from a snapshot whose name tells no time.
    """
    shelf, access, database = work.shelf, work.snapshots.access, work.snapshots.database
    for id in work.shelved().kept:
        manifest = shelf.manifest(id)
        if manifest:
            yield f"snapshot {id}", manifest.taken
    for aside in put_aside(access, database):
        yield aside.name, aside.at
    for sibling in databases_beside(access, database):
        if sibling.mark and sibling.mark.snapshot:
            yield sibling.name, datetime.strptime(sibling.mark.snapshot[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)


def _copy(copies: Copies, id: str, reasons: list[str]) -> Copy | None:
    """A copy's manifest; where it can't be read, the copy is kept, and why is added."""
    try:
        return copies.copy(id)
    except InputError as error:
        reasons.append(f"its manifest can't be read: {error.found or error.what}")
        return None


def _key(copy: Copy) -> str | None:
    """What tells its key from others. Fingerprints of one value with two keys differ, so it may count as two."""
    found = copy.fingerprints.get(KEY)
    return found and f"{copy.key} {found}"


def _released(work: Pruning) -> Mapping[str, str]:
    """The copies of the release that runs, and of those that a rollback could go back to."""
    history, hosts = Releases(work.shelf.store).history(), work.snapshots.environment.platform.hosts
    releases = [*ways_back(history, hosts.keep if hosts else KEEP), *filter(None, [history.current])]
    return {each.variables_backup: f"{each.id} was deployed with it" for each in releases if each.variables_backup}


def _halves(copies: Copies) -> Sequence[str]:
    """Copies without a manifest that nobody makes any more."""
    return [id for id in copies.unfinished() if _is_old(id)]


def _is_old(id: str) -> bool:
    try:
        began = datetime.strptime(id[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return False
    return datetime.now(UTC) - began > remains.STRANGE


def _copies(work: Pruning) -> Copies:
    return VariableCopies(work.snapshots).copies


def _add(reasons: dict[str, list[str]], more: Mapping[str, Sequence[str]]) -> None:
    for id, why in more.items():
        if id in reasons:
            reasons[id] += why
