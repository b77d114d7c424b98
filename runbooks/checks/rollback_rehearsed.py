"""Whether going back was tried, and whether there is still something to go back to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from runbooks.checks.declare import check
from runbooks.checks.recovery import VALID
from runbooks.checks.released import NONE_BEFORE, gone_back_to, history_of, staging_of
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed, skipped
from runbooks.engine.errors import InputError, SystemFault
from runbooks.systems.platform import hosting
from runbooks.systems.releases.history import History
from runbooks.systems.releases.record import Entry, Kind


@check("rollback.rehearsed", severity=Severity.CRITICAL, evidence=Evidence.LEDGER, target="store")
def rehearsed(subject: Subject) -> Finding:
    name, history, staging = subject.environment.name, history_of(subject), staging_of(subject)
    where = f"here or in {staging[0]}" if staging else "here"
    expected = f"invoke rollback passed {where} within {VALID.days} days, and the previous release can be deployed now"
    previous = gone_back_to(history)
    if previous is None:
        return skipped(expected, NONE_BEFORE)
    gone = list(_gone(subject, hosting.Release(previous.id, previous.commit)))
    if gone:
        return failed(expected, "; ".join(gone), "go back to another one (invoke release.list), or roll forward")
    ledgers = [(name, history), *([staging] if staging else [])]
    tried = [(entry, environment) for environment, of in ledgers for entry in rehearsals(of)]
    try_it = f"invoke rollback --env {staging[0] if staging else name}, then take it back with --undo"
    if not tried:
        return failed(expected, f"{previous.id} is there; nobody has gone back {where} yet", try_it)
    entry, environment = max(tried, key=lambda pair: pair[0].at)
    told = f"run {entry.run} went back to {entry.id} in {environment} on {entry.at:%Y-%m-%d}"
    age = datetime.now(UTC) - entry.at
    if age > VALID:
        return failed(expected, f"{told}, {age.days} days ago", try_it)
    return passed(expected, f"{told}{', with its data' if entry.data else ''}; {previous.id} is there")


def rehearsals(history: History) -> Iterator[Entry]:
    """Rollbacks that came to their end, also those that somebody has taken back on purpose since."""
    withdrawn = {entry.run for entry in history.entries if entry.kind is Kind.WITHDRAWN}
    for entry in history.entries:
        if entry.kind is Kind.ROLLED_BACK and entry.run not in withdrawn:
            yield entry


def _gone(subject: Subject, release: hosting.Release) -> Iterator[str]:
    """Where the release is not kept and can't be built again either. Raises SystemFault: a host can't be asked."""
    for host, state in subject.site.hosting.observe_all().items():
        if isinstance(state, SystemFault):
            raise state
        if release not in state.releases and not _can_be_built(subject, release):
            yield f"{host} does not have {release.id} any more, and nobody has its commit {release.commit[:12]}"


def _can_be_built(subject: Subject, release: hosting.Release) -> bool:
    try:
        subject.site.history.commit(release.commit)
    except InputError:
        return False
    return True
