"""Means at the ledgers of releases: a past that other sandboxes have, and one that was lost.

The release that runs is recorded as the one before, with another after it that was never built. Both entries go with
the mending; nothing else of a ledger is touched.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from runbooks.sandbox import releases
from runbooks.sandbox.faults.fault import Means
from runbooks.sandbox.faults.means import LOCAL
from runbooks.sandbox.faults.shelved import shelf_of
from runbooks.sandbox.world import Sandbox
from runbooks.systems.releases.ledger import RELEASES, Releases
from runbooks.systems.releases.record import Entry, Kind, Release, State
from runbooks.systems.store.folder import FolderStore
from runbooks.systems.variables.copies import Copies

STAGING = "local-staging"
BEFORE = Release(id="before", version="before", commit="a" * 40)
AFTER = Release(id="after", version="after", commit="b" * 40)
Changed = Callable[[Release, Sandbox], Release]


def recorded(
    before: Changed = lambda release, _: release,
    after: Changed = lambda release, _: release,
    *,
    went_back: timedelta | None = None,
) -> Means:
    """Record two deploys: of what runs, with a copy of its variables, and of a release after it.

    Args:
        before: Makes the first one another.
        after: Makes the second one another.
        went_back: How long ago somebody has gone back from the second to the first, and forward again; None: never.
    """

    def inject(sandbox: Sandbox) -> None:
        runs = _running(sandbox)
        first, second = before(runs, sandbox), after(replace(AFTER, heads=runs.heads), sandbox)
        past = datetime.now(UTC) - (went_back or timedelta())
        entries = [_entry(Kind.DEPLOYED, "1", past, first), _entry(Kind.DEPLOYED, "2", past, second)]
        if went_back is not None:
            entries += [_entry(Kind.ROLLED_BACK, "3", past, first)]
            undone = _entry(Kind.UNDONE, "4", past, second)
            entries += [replace(undone, undoes=entries[-1].run, state=None, heads=second.heads)]
        _append(sandbox, LOCAL, entries)

    return Means(inject, forget, restarts=False)


def marked_bad_in_staging() -> Means:
    """What staging runs is held for bad, as ``release.mark-bad`` does."""

    def inject(sandbox: Sandbox) -> None:
        current = Releases(_store(sandbox, STAGING)).history().current
        assert current, "the sandbox's start records it"
        bad = replace(_entry(Kind.MARKED_BAD, "1", datetime.now(UTC), current), release=None, state=State.BAD)
        _append(sandbox, STAGING, [bad])

    return Means(inject, forget, restarts=False)


def placed(revision: str) -> Means:
    """Lay another release out where the next start takes it from, while the old one runs on."""

    def inject(sandbox: Sandbox) -> None:
        releases.place(sandbox.layout, LOCAL, revision, None)

    def mend(sandbox: Sandbox) -> None:
        releases.place(sandbox.layout, LOCAL, "v1", None)

    return Means(inject, mend, restarts=False)


def forget(sandbox: Sandbox) -> None:
    """Take the entries of faults out of the ledgers again. They are the newest ones, so no gap is left."""
    for environment in (LOCAL, STAGING):
        store = _store(sandbox, environment)
        for name in sorted(store.names(RELEASES), reverse=True):
            path = store.folder / name
            if b"-fault-" in path.read_bytes():
                path.unlink()


def over_newest_snapshot(release: Release, sandbox: Sandbox) -> Release:
    """It was deployed after the newest snapshot was taken."""
    return replace(release, snapshot_before=shelf_of(sandbox).ids()[-1])


def over_lost_snapshot(release: Release, _sandbox: Sandbox) -> Release:
    """It was deployed after a snapshot that is nowhere."""
    return replace(release, snapshot_before="20200101T000000Z-lost")


def migrated_without_snapshot(release: Release, _sandbox: Sandbox) -> Release:
    """It has migrated, and nobody has taken a snapshot before."""
    return replace(release, heads=("20200101_elsewhere",))


def without_copy(release: Release, _sandbox: Sandbox) -> Release:
    """Its variables were not kept."""
    return replace(release, variables_backup=None)


def built_nowhere(release: Release, _sandbox: Sandbox) -> Release:
    """Nobody has it, nor its commit."""
    return replace(release, id=BEFORE.id, commit=BEFORE.commit)


def _running(sandbox: Sandbox) -> Release:
    """What runs, as a deploy would have recorded it."""
    told = sandbox.deployed(LOCAL)
    copy = Copies(_store(sandbox, LOCAL)).newest()
    with sandbox.superuser(LOCAL) as connection:
        heads = tuple(row[0] for row in connection.execute("SELECT version_num FROM alembic_version").fetchall())
    return Release(
        id=told["commit"],
        version=told["revision"],
        commit=told["commit"],
        heads=heads,
        variables_backup=copy.id if copy else None,
    )


def _entry(kind: Kind, run: str, at: datetime, release: Release) -> Entry:
    return Entry(
        kind=kind,
        at=at,
        by="a fault",
        run=f"2020010{run}T000000.000Z-fault-{run * 4}",
        token=sys.maxsize,
        id=release.id,
        release=release,
        state=State.STABLE,
    )


def _append(sandbox: Sandbox, environment: str, entries: list[Entry]) -> None:
    ledger = Releases(_store(sandbox, environment))
    for entry in entries:
        ledger.append(entry)


def _store(sandbox: Sandbox, environment: str) -> FolderStore:
    return FolderStore(sandbox.project / "var" / "store" / environment)
