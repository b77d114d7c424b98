"""``invoke release.promote`` and ``release.mark-bad``: a person's word on a release, in the ledger."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from runbooks.catalog import Opening, Prepared
from runbooks.engine.errors import InputError
from runbooks.engine.lease import operator
from runbooks.engine.step import Runbook, Scope, Step
from runbooks.environment.resolve import open_values
from runbooks.environment.stores import open_store
from runbooks.systems.releases.ledger import Releases
from runbooks.systems.releases.record import Entry, Kind, Release, State


@dataclass(frozen=True)
class Holding:
    """What is to be said of a release."""

    releases: Releases
    release: Release
    kind: Kind
    state: State
    reason: str
    runs_now: bool


def prepare_promote(opening: Opening) -> Prepared:
    """Put the runbook together. Raises InputError if no release answers to the name."""
    return _prepared(opening, "release.promote", "Promote a release", Kind.PROMOTED, State.STABLE)


def prepare_mark_bad(opening: Opening) -> Prepared:
    """Put the runbook together. Raises InputError if no release answers to the name, or no reason was given."""
    if not str(opening.parameters.get("why") or "").strip():
        raise InputError("marking a release bad needs a reason", mend='--reason "what it does wrong"')
    return _prepared(opening, "release.mark-bad", "Mark a release bad", Kind.MARKED_BAD, State.BAD)


def say(holding: Holding, scope: Scope) -> str:
    """Write it into the ledger."""
    holding.releases.append(
        Entry(
            kind=holding.kind,
            at=datetime.now(UTC),
            by=operator(),
            run=scope.run,
            token=scope.token,
            id=holding.release.id,
            state=holding.state,
            reason=holding.reason,
        )
    )
    told = f"{holding.release.id} is {holding.state}"
    return f"{told}, and it runs now: invoke rollback" if holding.runs_now and holding.state is State.BAD else told


def is_said(holding: Holding, scope: Scope) -> bool:
    """Whether this run has written it."""
    return any((each.run, each.kind) == (scope.run, holding.kind) for each in holding.releases.entries())


def plan_say(holding: Holding) -> Iterable[str]:
    """The entry."""
    yield f"{holding.release.id} ({holding.release.version}) is {holding.state} from now on, in {holding.releases}"


def _prepared(opening: Opening, name: str, title: str, kind: Kind, state: State) -> Prepared:
    releases = Releases(open_store(opening.environment, open_values(opening.environment, os.environ)))
    history = releases.history()
    wanted = str(opening.parameters.get("release") or "")
    release = history.find(wanted) if wanted else history.current
    if release is None:
        raise InputError("nothing was deployed yet", where=str(releases), mend="invoke release.deploy")
    step = Step(name="say", title="Write it into the ledger", act=say, done=is_said, plan=plan_say)
    current = history.current
    holding = Holding(
        releases, release, kind, state, str(opening.parameters.get("why") or ""), bool(current and current == release)
    )
    return Prepared(Runbook(name=name, title=title, changes=True, steps=(step,)), holding)
