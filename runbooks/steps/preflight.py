"""Looks before a deploy leaps, at the way forward and at the way back: what would close either refuses it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from runbooks.engine.errors import Reason, RunbookError, SystemFault
from runbooks.engine.step import Scope
from runbooks.steps import snapshot
from runbooks.steps.deploying import Deploying
from runbooks.steps.gate import PATIENCE
from runbooks.steps.release_state import compare, look
from runbooks.systems.http.client import HttpClient
from runbooks.systems.lint import squawk
from runbooks.systems.platform.hosting import Slot
from runbooks.systems.postgres.rights import lacking_for_exchange


def preflight(work: Deploying, scope: Scope) -> str:
    """Ask everything that a deploy and the way back from it rely on; nothing is changed.

    Raises:
        SystemFault: something stands against it; all of it is named.
    """
    found = problems(work)
    if found:
        raise SystemFault(
            "this deploy can't be begun: the way forward or the way back is closed",
            reason=Reason.REFUSED,
            found="\n         ".join(found),
            mend="mend each of these, then invoke release.deploy again",
        )
    scope.record("preflight", runs_now=work.before.id if work.before else None)
    return f"{work.version} over {work.before.id if work.before else 'nothing'}; {_open(work)}"


def problems(work: Deploying) -> Sequence[str]:
    """A sentence for everything that stands against it, once: a store that is gone closes several ways."""
    return list(dict.fromkeys(_problems(work)))


def _problems(work: Deploying) -> Iterator[str]:
    for question in (_ledger, _hosts, _snapshot, _server, _linter):
        try:
            yield from question(work)
        except RunbookError as error:
            yield "; ".join(part for part in (error.what, error.found) if part)


def _ledger(work: Deploying) -> Iterator[str]:
    """What runs is what was recorded, so that what comes after it can be taken back."""
    history = work.history()
    for entry in history.begun:
        if entry.run != work.run:
            yield (
                f"run {entry.run} by {entry.by} has not ended: invoke runs.resume or runs.abort {entry.run};"
                " where neither is possible any more: invoke release.settle"
            )
    if history.current is None or any(entry.run == work.run for entry in history.entries):
        return
    seen = look(work.site)
    hosts = {host: found for host, found in seen.hosts.items() if host not in history.left_out}
    differences, unasked = compare(history, replace(seen, hosts=hosts))
    yield from differences
    yield from unasked


def _hosts(work: Deploying) -> Iterator[str]:
    """Each host has room, and the release before to go back to."""
    left_out = work.history_before().left_out
    for host, state in work.states().items():
        free = state.free_bytes >> 20
        if free < work.declared.free_mib:
            yield f"{host} has {free} MiB free, and {work.declared.free_mib} are asked for (deploy.free_mib)"
        if work.before and host not in left_out and work.before.id not in {release.id for release in state.releases}:
            yield f"{host} does not have {work.before.id} any more, so there would be nothing to go back to"
        if not state.slots[state.idle].running and _answers(work, host, state.idle):
            yield f"somebody else listens at {state.slots[state.idle].address} of {host}, where {state.idle} should be"


def _answers(work: Deploying, host: str, slot: Slot) -> bool:
    with work.hosting.reach(host, slot) as url, HttpClient(url, seconds=PATIENCE) as client:
        try:
            client.get("/")
        except SystemFault as fault:
            return fault.reason is not Reason.UNREACHABLE
    return True


def _snapshot(work: Deploying) -> Iterator[str]:
    """The database can be dumped into the store, and restored from there."""
    snapshot.survey(work.making)
    work.making.programs.path("pg_restore")
    yield from ()


def _server(work: Deploying) -> Iterator[str]:
    """A restored database could take the live one's place."""
    access = work.snapshots.access
    with access.connection() as connection:
        yield from (f"a rollback would lack {each}" for each in lacking_for_exchange(connection, access.database))


def _linter(_work: Deploying) -> Iterator[str]:
    squawk.program()
    yield from ()


def plan(work: Deploying) -> Iterator[str]:
    """What runs now, what is to run, and what stands against it."""
    yield f"{work.version}, commit {work.wanted.commit[:12]}, as {work.wanted.id}"
    yield f"over {work.before.id} ({work.before.version})" if work.before else "nothing was deployed here yet"
    found = problems(work)
    yield from (f"refused: {each}" for each in found)
    if not found:
        yield _open(work)


def _open(work: Deploying) -> str:
    """Where the release before migrates as it starts, Alembic exits 255 over a revision that it does not know."""
    if work.before and work.before.migrates_at_start:
        return (
            f"the way back is open; {work.before.id} migrates as it starts, so over a newer schema it can't be started"
            " again: from a release with migrations the way back is with the data"
        )
    return "the way back is open"
