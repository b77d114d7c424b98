"""The snapshots that a rollback could still restore, as the ledger of releases tells."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from runbooks.engine.errors import InputError
from runbooks.systems.releases.history import History
from runbooks.systems.releases.ledger import Releases, is_entry
from runbooks.systems.releases.record import Entry, Kind, Release, State

BEFORE = "snapshot_before"
"""What a record calls the snapshot that was taken ahead of the release's own migration."""

_ENDED = (Kind.DEPLOYED, Kind.ROLLED_BACK, Kind.UNDONE)


def snapshots_needed(releases: Releases, *, keep: int) -> Mapping[str, str]:
    """The snapshots that some way back needs: id, and which.

    A way back leads to the newest stable release and to the newest ``keep`` others that are not held for bad: what is
    older is no longer built on the hosts, and nobody gives up all that was written since. Besides: the present ahead of
    a rollback that can still be taken back, and the data ahead of deploys that were taken back since, whose migrations
    may have stayed.

    Args:
        keep: How many releases are gone back to besides the newest stable one.

    Raises:
        InputError: a record can't be read, so nobody knows what it needs.
        SystemFault: the store can't be asked.
    """
    history = releases.history()
    found = dict(_of_strangers(releases))
    for release in ways_back(history, keep):
        if snapshot := history.snapshot_before_first_after(release.id):
            found[snapshot] = f"a rollback to {release.id} would restore it"
    for entry in _since_the_last(history.entries):
        if entry.release and entry.release.snapshot_before:
            found.setdefault(entry.release.snapshot_before, _words(entry))
    return found


def snapshots_named(releases: Releases) -> Mapping[str, str]:
    """Every snapshot that the ledger names, and where. Raises as `snapshots_needed`."""
    found = dict(_of_strangers(releases))
    for entry in releases.entries():
        if entry.release and entry.release.snapshot_before:
            found[entry.release.snapshot_before] = f"the ledger names it ({entry.id})"
    return found


def ways_back(history: History, keep: int) -> Sequence[Release]:
    """The releases that a rollback could go back to, newest first."""
    known = [each for each in history.candidates() if history.state(each.id) is not State.BAD]
    stable = history.previous_stable()
    return [each for at, each in enumerate(known) if at < keep or (stable and each.id == stable.id)]


def _since_the_last(entries: Sequence[Entry]) -> Iterator[Entry]:
    """The rollback that can still be taken back, and what was withdrawn since something was put to work."""
    for entry in reversed(entries):
        if entry.kind is Kind.WITHDRAWN:
            yield entry
        elif entry.kind in _ENDED:
            if entry.kind is Kind.ROLLED_BACK:
                yield entry
            return


def _words(entry: Entry) -> str:
    if entry.kind is Kind.WITHDRAWN:
        return f"run {entry.run} took it ahead of {entry.id}, and was taken back"
    return f"it is the present ahead of the rollback {entry.run}, which can be taken back"


def _of_strangers(releases: Releases) -> Iterator[tuple[str, str]]:
    """What objects name that are no entries of this version's: a snapshot too many costs space, one too few the way."""
    for name in releases.names():
        stored = None if is_entry(name) else releases.store.get(name)
        if stored is None:
            continue
        try:
            document = json.loads(stored.body)
        except ValueError as error:
            raise InputError(
                "the record of a release can't be read, so nobody knows which snapshot its rollback needs",
                where=f"{name} in {releases.store}",
                found=str(error),
                mend="compare it with a copy, or correct it by hand",
            ) from error
        yield from ((id, f"a rollback would restore it ({name})") for id in _named(document))


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == BEFORE and isinstance(inner, str) and inner:
                yield inner
            else:
                yield from _named(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner)
