"""Which release a rollback goes back to, whether its code alone would do, and what restoring its data means."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from runbooks.engine.errors import InputError
from runbooks.systems.releases.history import History
from runbooks.systems.releases.record import Release, State

ADDITIVE = "additive"
"""What linting calls a revision that code from before it can live with."""


@dataclass(frozen=True, kw_only=True)
class WayBack:
    """From what runs to a release that ran before.

    Attributes:
        release: The one to go back to.
        leaves: The one that runs now.
        snapshot: The data as `release` left them; None: nobody took that snapshot, or it is pruned.
        migrated: Whether the schema is another than `release` ran over.
        against_code_only: Why its code can't run over today's schema; empty: it can.
    """

    release: Release
    leaves: Release
    snapshot: str | None
    migrated: bool
    against_code_only: str

    def lines(self) -> Iterator[str]:
        """What speaks for and against each way."""
        yield f"from {self.leaves.id} back to {self.release.id} ({self.release.version}, {self.release.commit[:12]})"
        code = self.against_code_only or "possible; nothing that was written is lost"
        yield f"code only (--keep-data): {code}"
        data = (
            f"snapshot {self.snapshot}; what was written since goes into quarantine" if self.snapshot else "no snapshot"
        )
        yield f"code and data (--restore-data): {data}"


def choose(history: History, wanted: str | None, heads: Sequence[str]) -> WayBack:
    """The way back to a release.

    Args:
        wanted: Its id, version or commit; None: the newest stable one before what runs.
        heads: The migrations that the live database is at.

    Raises:
        InputError: there is no such release, or it runs now, or it is held for bad.
    """
    current = history.current
    if current is None:
        raise InputError("nothing was deployed yet, so there is nothing to go back to", mend="invoke release.list")
    release = history.find(wanted) if wanted else history.previous_stable()
    if release is None:
        raise InputError(
            "no release before the one that runs is stable",
            found=", ".join(f"{each.id} ({history.state(each.id)})" for each in history.candidates())
            or "there is none",
            mend="invoke release.promote RELEASE, or invoke rollback --to RELEASE",
        )
    if release.id == current.id:
        raise InputError("this release runs already", found=release.id, mend="invoke release.list")
    if history.state(release.id) is State.BAD:
        raise InputError(
            "this release is held for bad",
            found=release.id,
            mend=f"go back to another one, or: invoke release.promote --release {release.id}",
        )
    return WayBack(
        release=release,
        leaves=current,
        snapshot=history.snapshot_before_first_after(release.id),
        migrated=set(heads) != set(release.heads),
        against_code_only=_against_code_only(history, release, heads),
    )


def _against_code_only(history: History, release: Release, heads: Sequence[str]) -> str:
    if set(heads) == set(release.heads):
        return ""
    where = f"the schema is at {', '.join(heads) or 'no migration'}, it ran at {', '.join(release.heads) or 'none'}"
    if release.migrates_at_start:
        return f"{where}, and its start command migrates: Alembic exits 255 over a revision that it does not know"
    after = [each.release for each in history.activations if each.release.id != release.id]
    since = {name: kind for each in after for name, kind in each.migrations.items() if name not in release.migrations}
    hostile = [f"{name} is {kind}" for name, kind in since.items() if kind != ADDITIVE]
    unknown = set(heads) - set(release.heads) - set(since)
    hostile += [f"nobody knows what {name} changed" for name in sorted(unknown)]
    return f"{where}; {'; '.join(hostile)}" if hostile else ""


def with_data(way: WayBack, *, restore: bool, keep: bool, ask: Callable[[str], str] | None) -> bool:
    """Whether the data go back as well.

    Args:
        restore: The operator said ``--restore-data``.
        keep: The operator said ``--keep-data``.
        ask: Reads a line from the terminal; None: there is none.

    Raises:
        InputError: what was asked for is impossible, or nothing was said and nobody can be asked.
    """
    if restore and keep:
        raise InputError("--restore-data and --keep-data exclude each other")
    shown = "\n".join(way.lines())
    if not restore and not keep:
        restore = way.migrated or _asked(way, ask, shown)
    if restore and not way.snapshot:
        mend = "--keep-data" if not way.against_code_only else "roll forward: mend the newer release, and deploy it"
        raise InputError(
            "the data can't be put back: the store has no snapshot from ahead of what came after this release",
            where=way.release.id,
            mend=mend,
        )
    if not restore and way.against_code_only:
        raise InputError(
            "the code of this release can't run over today's data",
            where=way.release.id,
            found=way.against_code_only,
            mend="--restore-data, or roll forward: mend the newer release, and deploy it",
        )
    return restore


def _asked(way: WayBack, ask: Callable[[str], str] | None, shown: str) -> bool:
    if ask is None:
        raise InputError(
            "both ways are possible, and there is no terminal to ask on",
            where=way.release.id,
            found=shown,
            mend="add --restore-data or --keep-data",
        )
    said = ask(f"{shown}\nType restore or keep: ").strip()
    if said not in ("restore", "keep"):
        raise InputError("neither way was chosen, so nothing was done", found=said or "nothing was typed")
    return said == "restore"
