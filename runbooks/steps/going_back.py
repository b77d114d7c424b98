"""What the steps of a rollback share, and those that no other runbook has: the ledger, the record, the announcement."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.lease import operator
from runbooks.engine.step import Scope
from runbooks.environment.snapshots import Snapshots
from runbooks.steps import announcement, slots, snapshot
from runbooks.steps.making import Making
from runbooks.steps.quarantined import find
from runbooks.steps.rekeying import Rekeying
from runbooks.steps.serving import Serving
from runbooks.steps.switching import Switching
from runbooks.systems.postgres import databases
from runbooks.systems.postgres.databases import Mark
from runbooks.systems.postgres.digest import digest_of
from runbooks.systems.postgres.exchange import QUARANTINED, Exchange, beside
from runbooks.systems.postgres.heads import heads_of
from runbooks.systems.postgres.quarantine import readable
from runbooks.systems.releases.ledger import Releases
from runbooks.systems.releases.record import Entry, Kind, Release


@dataclass(kw_only=True)
class GoingBack(Serving):
    """A release that is put to work again, and where asked its data.

    Attributes:
        release: The one that comes.
        leaves: The one that runs.
        data: The snapshot that takes the live database's place; None: the data stay.
        making: The snapshot of the present.
        undoes: The run of the rollback that is taken back; empty: this is a rollback.
        returning: The database in quarantine that comes back with it; None: none does.
    """

    release: Release
    leaves: Release
    data: Switching | None = None
    making: Making | None = None
    undoes: str = ""
    returning: Returning | None = None

    @property
    def announcement(self) -> Path:
        """What users are to be told, to be copied from there."""
        return self.runs / self.run / "announcement.md"

    @property
    def kind(self) -> Kind:
        """What the ledger says at the end."""
        return Kind.UNDONE if self.undoes else Kind.ROLLED_BACK

    @property
    def spare(self) -> int:
        """None may fail where the data go back: it would run over data from before it."""
        return 0 if self.data or self.returning else super().spare


@dataclass
class Present(Making):
    """The snapshot of the present. Its folder is not the one that the archive is fetched into."""

    @property
    def folder(self) -> Path:
        return self.snapshots.work(f"{self.run}-present")


@dataclass
class Returning:
    """A database in quarantine that takes the live one's place again."""

    snapshots: Snapshots
    run: str
    name: str
    of: str
    """The run that put it aside."""

    @property
    def live(self) -> str:
        return self.snapshots.database

    @property
    def tail(self) -> str:
        return f"{self.run[:8]}_{self.run.rpartition('-')[2]}"

    @property
    def aside(self) -> str:
        return databases.sibling_name(self.live, "quarantine", self.tail)

    @property
    def aside_again(self) -> str:
        return self.name

    @cached_property
    def snapshot(self) -> str:
        """The snapshot that took its place then."""
        return find(self.snapshots, self.name).mark.snapshot

    def exchange(self, token: int) -> Exchange:
        said = Mark(self.run, QUARANTINED, of=self.live, by=operator(), token=token)
        return Exchange(live=self.live, replacement=self.name, aside=self.aside, mark=said)

    def exchange_back(self, token: int) -> Exchange:
        """As it was: in quarantine under the same name, by the run that had put it there."""
        said = Mark(self.of, QUARANTINED, of=self.live, by=operator(), token=token)
        return Exchange(live=self.live, replacement=self.aside, aside=self.name, mark=said)


def look(work: GoingBack, _scope: Scope) -> str:
    """See what serves now, and whether the release is still there.

    Raises:
        SystemFault: a host can't be asked, or what users are to be told at the end could not be rendered.
    """
    _announcement(work)
    return "; ".join(plan_look(work))


def plan_look(work: GoingBack) -> Iterable[str]:
    """What each host serves, and whether it has the release."""
    for host, state in work.states().items():
        now = state.serving.release.id if state.serving else "nothing"
        kept = "is there" if work.wanted in state.releases else "is built first"
        yield f"{host} serves {now}, {work.wanted.id} {kept}"


def begin(work: GoingBack, scope: Scope) -> str:
    """Say in the ledger that what runs is being changed, so that nobody with an older lease goes on."""
    work.releases.append(work.entry(Kind.BEGAN, scope, undoes=work.undoes))
    return f"{work.leaves.id} is being replaced by {work.release.id}"


def begun(work: GoingBack, _scope: Scope) -> bool:
    return work.said(Kind.BEGAN)


def withdraw(work: GoingBack, scope: Scope) -> str:
    """Say there that it came to nothing. Raises SystemFault: it did not; see `slots.confirm_back`."""
    unasked = slots.confirm_back(work)
    at = heads_of(work.snapshots.access)
    work.releases.append(work.entry(Kind.WITHDRAWN, scope, heads=at))
    return f"no request was sent to it; {unasked}" if unasked else f"{work.leaves.id} runs as before"


def look_at_present(work: GoingBack, scope: Scope) -> str:
    """See what there is to dump; once that is in the store, another may be live."""
    assert work.making
    if work.making.published():
        return "it is in the store"
    return snapshot.look(work.making, scope)


def record(work: GoingBack, scope: Scope) -> str:
    """Write into the ledger what runs now, and how the way forward is kept."""
    present, at = work.making.id if work.making else None, heads_of(work.snapshots.access)
    release = replace(work.release, snapshot_before=present, heads=at)
    moved = bool(work.data or work.returning)
    left = at if work.undoes else None
    work.releases.append(
        work.entry(
            work.kind, scope, undoes=work.undoes, release=release, data=moved, heads=left, left_out=work.left_out
        )
    )
    return f"{work.release.id} runs now" + (f"; the present before is snapshot {present}" if present else "")


def recorded(work: GoingBack, _scope: Scope) -> bool:
    return work.said(work.kind)


def portray(work: GoingBack, scope: Scope) -> str:
    """Fingerprint what was put aside, so that its return can be proven; nobody can change it any more."""
    assert work.data
    name, access = work.data.aside, work.snapshots.access
    with readable(access, name):
        digest = digest_of(access, name, work.snapshots.environment.backup.jobs, scope.stop_event)
    with beside(access) as connection:
        said = databases.mark(connection, name)
        assert said
        databases.set_mark(connection, name, replace(said, digest=digest))
    return f"{name} is as {digest[:12]}"


def portrayed(work: GoingBack, _scope: Scope) -> bool:
    assert work.data
    with beside(work.snapshots.access) as connection:
        said = databases.mark(connection, work.data.aside)
    return bool(said and said.digest)


def prove_return(work: GoingBack, scope: Scope) -> str:
    """Compare what comes back with what was put aside.

    Raises:
        SystemFault: it is another.
    """
    returning = work.returning
    assert returning
    access = work.snapshots.access
    said = mark_aside(returning)
    if said is None:
        return "it was proven before it was put back"
    if not said.digest:
        return "nobody fingerprinted it: it was live in between"
    with readable(access, returning.name):
        if Rekeying(returning.snapshots, returning.run, returning.name).stage():
            return "it was proven before its rows were encrypted anew"
        found = digest_of(access, returning.name, work.snapshots.environment.backup.jobs, scope.stop_event)
    if found != said.digest:
        raise SystemFault(
            "the database in quarantine is not as it was put aside",
            reason=Reason.BAD_ANSWER,
            where=returning.name,
            found=f"{found[:12]}, was {said.digest[:12]}",
            mend=f"invoke quarantine.diff --database {returning.name}",
        )
    return f"{returning.name} is as it was put aside: {found[:12]}"


def mark_aside(returning: Returning) -> Mark | None:
    """What it says of itself while it is in quarantine; None: it is live by now."""
    with beside(returning.snapshots.access) as connection:
        return databases.mark(connection, returning.name)


def announce(work: GoingBack, scope: Scope) -> str:
    """Write what users are to be told beside the run's log; a person posts it, where the answer says."""
    text = _announcement(work)
    scope.record("announcement", text=text)
    return announcement.keep(work.snapshots.environment, text, work.announcement)


def _announcement(work: GoingBack) -> str:
    """Raises SystemFault: the text has a mistake."""
    lost = work.data.manifest.taken if work.data else None
    leaves, comes = work.leaves.version, work.release.version
    return announcement.rollback(work.snapshots.environment, release=leaves, previous=comes, lost=lost)


def plan(work: GoingBack) -> Iterable[str]:
    """What goes and what comes."""
    yield f"{work.leaves.id} ({work.leaves.version}) → {work.release.id} ({work.release.version})"
    yield "the data go back as well" if work.data or work.returning else "the data stay as they are"


def plan_return(work: GoingBack) -> Iterable[str]:
    """Which database comes, and which goes."""
    assert work.returning
    yield f"{work.returning.name} is {work.returning.live} again; what is live now is kept as {work.returning.aside}"


def rolled_back(releases: Releases, run: str) -> tuple[Entry, Release]:
    """The rollback of this run, and the release that ran before it.

    Raises:
        InputError: there is none, or something was deployed or rolled back since.
    """
    from runbooks.systems.releases.history import History

    entries = releases.entries()
    ended = [each for each in entries if each.kind in (Kind.DEPLOYED, Kind.ROLLED_BACK, Kind.UNDONE)]
    matches = [each for each in ended if each.kind is Kind.ROLLED_BACK and (each.run == run or each.run.endswith(run))]
    if not matches:
        known = [each.run for each in ended if each.kind is Kind.ROLLED_BACK]
        found = ", ".join(known[-3:]) or "nothing was rolled back"
        raise InputError("no rollback answers to this run", where=run, found=found, mend="invoke release.list")
    entry = matches[-1]
    if ended[-1] is not entry:
        raise InputError(
            "something was deployed or rolled back since, so this rollback can't be taken back",
            where=entry.run,
            found=f"{ended[-1].kind} by run {ended[-1].run}",
            mend="invoke rollback --to RELEASE, or deploy again",
        )
    before = History.of([each for each in entries if each.number < entry.number]).current
    if before is None:
        raise InputError("nothing ran before this rollback", where=entry.run, mend="invoke release.list")
    return entry, before
