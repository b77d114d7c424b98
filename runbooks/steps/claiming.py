"""The first and the last word of a deploy in the ledger of releases."""

from __future__ import annotations

from dataclasses import replace

from runbooks.engine.errors import InputError, SystemFault
from runbooks.engine.step import Scope
from runbooks.steps import slots
from runbooks.steps.deploying import LINTED, Deploying, release_now
from runbooks.steps.migrating import ask, told
from runbooks.steps.release_state import heads_of
from runbooks.systems.releases.record import Kind, Release, State

BLAME = "blame"
"""The kind of record that says why a release is bad, for whoever takes the run back later."""


def claim(work: Deploying, scope: Scope) -> str:
    """Say that it begins, and have every host refuse whoever holds an older lease."""
    said = slots.claim(work, scope)
    adopt(work, scope)
    work.releases.append(work.entry(Kind.BEGAN, scope))
    return said


def claimed(work: Deploying, scope: Scope) -> bool:
    """Whether it is said, and every host has heard of this lease: a resumed run holds a newer one."""
    if not work.said(Kind.BEGAN):
        return False
    return all(state.token == scope.token for state in work.states().values())


def adopt(work: Deploying, scope: Scope) -> None:
    """Where the ledger begins with this deploy, let it begin with what runs already, so that it can be gone back to."""
    serving = [state.serving for state in work.states().values()]
    placement = serving[0]
    if work.before is not None or placement is None or any(each != placement for each in serving):
        return
    found = ask(work, scope, placement.release, ())
    copy = work.copies.copies.of_release(placement.release.commit)
    release = Release(
        id=placement.release.id,
        version=_version(work, placement.release.commit),
        commit=placement.release.commit,
        heads=heads_of(work.site),
        variables=placement.fingerprint or None,
        variables_backup=copy.id if copy else None,
        migrates_at_start=found.migrates_at_start,
    )
    entry = work.entry(
        Kind.DEPLOYED, scope, release=release, state=State.STABLE, reason="it ran before the ledger began"
    )
    work.releases.append(replace(entry, run=placement.run, id=release.id))


def _version(work: Deploying, commit: str) -> str:
    try:
        return work.site.history.commit(commit)[1]
    except (InputError, SystemFault):  # it was built from somewhere else
        return commit[:12]


def withdraw(work: Deploying, scope: Scope) -> str:
    """Say that it is over, and how the schema was left.

    Raises:
        SystemFault: it is not: see `slots.confirm_back`.
    """
    work.blame = work.blame or (work.noted(BLAME) or {}).get("why", "")
    scope.record(BLAME, why=work.blame)
    unasked = slots.confirm_back(work)
    try:
        heads = heads_of(work.site)
    except SystemFault:
        heads = None
    state = State.BAD if work.blame else None
    tried = _tried(work, heads or ())
    work.releases.append(work.entry(Kind.WITHDRAWN, scope, state=state, reason=work.blame, heads=heads, release=tried))
    left = f"; {work.wanted.id} is marked bad" if work.blame else ""
    linted = work.noted(LINTED)
    if heads is not None and linted and set(heads) != set(linted["before"]):
        return (
            f"{_runs(work, unasked)}; the schema is left at {', '.join(heads)}; to have the data as they were before:"
            f" invoke backup.restore --snapshot {work.making.id}{left}"
        )
    return f"{_runs(work, unasked)}{left}"


def _runs(work: Deploying, unasked: str) -> str:
    if unasked:
        return f"no request was sent to it; {unasked}"
    return f"{work.before.id} is what runs" if work.before else "nothing ran before"


def record(work: Deploying, scope: Scope) -> str:
    """Put it into the ledger: from now on this is what runs."""
    release = told(work)
    baked = work.noted("bake") or {}
    state = State.STABLE if baked.get("judgement") == "passed" else State.CANDIDATE
    now = release_now(work, heads_of(work.site), release.migrations, release.migrates_at_start)
    accepted = (work.noted("accepted") or {}).get("text", "")
    reason = f"its bake was {accepted}" if accepted else ""
    entry = work.releases.append(
        work.entry(Kind.DEPLOYED, scope, release=now, state=state, reason=reason, left_out=work.left_out)
    )
    scope.record("release", id=now.id, text=f"{now.version}, commit {now.commit[:12]}, as {now.id}")
    return f"{now.id} is {state}, entry {entry.number} of {work.releases}"


def recorded(work: Deploying, _scope: Scope) -> bool:
    return work.said(Kind.DEPLOYED)


def _tried(work: Deploying, heads: tuple[str, ...]) -> Release | None:
    """The release with the snapshot that its migration can be taken back with, if that was made."""
    return release_now(work, heads, {}, at_start=False) if work.making.published() else None
