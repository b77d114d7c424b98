"""``invoke release.settle``: how a run ended that nobody can resume any more, in the ledger of releases.

A deploy that died with its machine, or that was overtaken, stays begun for good, and nothing is deployed over it. Here
a person says that it is over; what then stands in the ledger is what was seen, never what was said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from runbooks.catalog import Opening, Prepared
from runbooks.engine.errors import InputError, SystemFault
from runbooks.engine.lease import operator
from runbooks.engine.step import Runbook, Scope, Step
from runbooks.environment.site import Site
from runbooks.environment.snapshots import Snapshots
from runbooks.steps.release_state import Seen, compare, look
from runbooks.systems.platform import hosting
from runbooks.systems.platform.hosting import HostState, Placement
from runbooks.systems.releases.history import History
from runbooks.systems.releases.ledger import Releases
from runbooks.systems.releases.record import Entry, Kind, Release, State
from runbooks.systems.snapshots.shelf import new_id


@dataclass(frozen=True)
class Settling:
    """What is to be settled, and why a person may say so."""

    site: Site
    snapshots: Snapshots
    releases: Releases
    run: str
    reason: str

    def endings(self) -> Sequence[Entry]:
        """An entry for every run that has not ended, by what runs now; as it is when it is asked.

        Raises:
            InputError: nothing is to be settled, or it can't be told from what runs how a run ended.
            SystemFault: the ledger can't be read.
        """
        history, seen = self.releases.history(), look(self.site)
        serving, heads = _serving(history, seen), seen.heads if isinstance(seen.heads, tuple) else ()
        current, begun = history.current, list(history.begun)
        if not begun and current and set(heads) != set(history.heads):
            begun = [self._entry(Kind.BEGAN, self.run, current.id)]  # only the schema is not as it was left
        if not begun:
            raise InputError(
                "nothing is to be settled: no run has begun without an end, and the schema is as it was left",
                where=str(self.releases),
                mend="invoke release.status",
            )
        runs_now = serving.release.id if serving else None
        put_to_work = next((each for each in reversed(begun) if each.id == runs_now), None)
        if runs_now == (current.id if current else None):
            put_to_work = None
        elif put_to_work is None:
            raise InputError(
                "what runs is neither what ran before nor what a run was putting to work",
                where=", ".join(each.run for each in begun),
                found=f"{runs_now or 'nothing'} runs; of the runs: {', '.join(each.id for each in begun)}",
                mend="put one of them to work by hand, then invoke release.settle again",
            )
        return [
            self._put_to_work(each, history, serving, heads)
            if serving and each is put_to_work
            else self._withdrawn(each, history, heads)
            for each in begun
        ]

    def _put_to_work(self, begun: Entry, history: History, serving: Placement, heads: tuple[str, ...]) -> Entry:
        end = self._entry(Kind.DEPLOYED, begun.run, begun.id)
        if begun.undoes:
            return replace(end, kind=Kind.UNDONE, undoes=begun.undoes, heads=heads)
        known = next((each for each in history.candidates() if each.id == begun.id), None)
        if known:
            return replace(end, kind=Kind.ROLLED_BACK, release=replace(known, heads=heads))
        release = self._release(begun, serving.release.commit, heads)
        return replace(end, state=State.CANDIDATE, release=replace(release, variables=serving.fingerprint or None))

    def _withdrawn(self, begun: Entry, history: History, heads: tuple[str, ...]) -> Entry:
        """With the release that was tried, for the snapshot that its migration can be taken back with."""
        known = any(each.release.id == begun.id for each in history.activations)
        tried = None if known or not self._snapshot(begun) else self._release(begun, self._commit(begun.id), heads)
        return replace(self._entry(Kind.WITHDRAWN, begun.run, begun.id), heads=heads, release=tried)

    def _entry(self, kind: Kind, run: str, id: str) -> Entry:
        reason = f"{self._mark} {self.reason}"
        return Entry(kind=kind, at=datetime.now(UTC), by=operator(), run=run, token=0, id=id, reason=reason)

    @property
    def _mark(self) -> str:
        return f"settled by run {self.run}:"

    def settled(self) -> bool:
        """Whether this run has settled all that was open."""
        history = self.releases.history()
        return not history.begun and any(each.reason.startswith(self._mark) for each in history.entries)

    def _release(self, begun: Entry, commit: str, heads: tuple[str, ...]) -> Release:
        return Release(
            id=begun.id,
            version=commit[:12] or begun.id,
            commit=commit,
            heads=heads,
            snapshot_before=self._snapshot(begun),
            migrates_at_start=True,  # not known any more: so nothing is gone back to that might not start
        )

    def _commit(self, id: str) -> str:
        """Of a release that lies on some host; empty: on none."""
        lying = (each for state in self.site.hosting.observe_all().values() for each in _releases(state))
        return next((each.commit for each in lying if each.id == id), "")

    def _snapshot(self, begun: Entry) -> str | None:
        id = new_id(begun.run)
        return id if id in self.snapshots.shelf.ids() else None


def prepare(opening: Opening) -> Prepared:
    """Put the runbook together.

    Raises:
        InputError: no reason was given, nothing is to be settled, or it can't be told how.
    """
    reason = str(opening.parameters.get("why") or "").strip()
    if not reason:
        raise InputError(
            "settling needs a reason: who knows that the run is over, and from what",
            mend='--reason "the laptop that ran it is lost"',
        )
    site = Site(opening.environment, opening.redactor)
    snapshots = Snapshots(site)
    settling = Settling(site, snapshots, Releases(snapshots.shelf.store), opening.run, reason)
    try:
        if not settling.settled():
            settling.endings()  # what can't be settled is said before anything begins
    except BaseException:
        site.close()
        raise
    step = Step(name="settle", title="Write into the ledger how it ended", act=settle, done=is_settled, plan=plan)
    return Prepared(
        Runbook(name="release.settle", title="Settle what a lost run left open", changes=True, steps=(step,)),
        settling,
        site.close,
    )


def settle(work: Settling, scope: Scope) -> str:
    """Write the entries, once every host refuses the run that may only seem to be over."""
    ends = work.endings()
    changes = work.site.hosting.changes(scope.token)
    for host in work.site.hosting.hosts:
        changes.claim(host)
    for each in ends:
        work.releases.append(replace(each, token=scope.token))
    return "; ".join(_said(each) for each in ends)


def is_settled(work: Settling, _scope: Scope) -> bool:
    """Whether this run has settled all that was open."""
    return work.settled()


def plan(work: Settling) -> Iterable[str]:
    """The entries."""
    yield from (_said(each) for each in work.endings())


def _said(entry: Entry) -> str:
    if entry.kind is Kind.WITHDRAWN:
        left = f"; the schema was left at {', '.join(entry.heads or ()) or 'no migration'}"
        before = entry.release.snapshot_before if entry.release else None
        back = f"; the data before it: invoke backup.restore --snapshot {before} --switch" if before else ""
        return f"run {entry.run} has put nothing to work{left}{back}"
    return f"run {entry.run} has put {entry.id} to work"


def _serving(history: History, seen: Seen) -> Placement | None:
    """What every host runs.

    Raises:
        InputError: a host or the schema can't be asked, or the hosts run different releases.
    """
    _, unasked = compare(history, seen)
    if unasked:
        raise InputError(
            "what can't be looked at can't be settled", found="; ".join(unasked), mend="invoke release.status"
        )
    found = dict(_placements(seen))
    if len({each.release.id if each else None for each in found.values()}) > 1:
        raise InputError(
            "the hosts run different releases",
            found=", ".join(f"{host}: {each.release.id if each else 'nothing'}" for host, each in found.items()),
            mend="put one of them to work on every host, then invoke release.settle again",
        )
    return next(iter(found.values()), None)


def _placements(seen: Seen) -> Iterator[tuple[str, Placement | None]]:
    for host, found in seen.hosts.items():
        if found is None or isinstance(found, Placement):
            yield host, found


def _releases(state: HostState | SystemFault) -> Sequence[hosting.Release]:
    return () if isinstance(state, SystemFault) else state.releases
