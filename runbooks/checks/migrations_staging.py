"""Whether the release's migrations were tried where nobody is hurt."""

from __future__ import annotations

from runbooks.checks.declare import check
from runbooks.checks.released import staging_of
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed, skipped, unknown
from runbooks.systems.releases.record import State

PRODUCTION = "production"


@check("migrations.tested-in-staging", severity=Severity.CRITICAL, evidence=Evidence.LEDGER, target="store")
def tested_in_staging(subject: Subject) -> Finding:
    expected = "a release with these migrations has proved itself in staging"
    environment = subject.environment
    if environment.application.environment != PRODUCTION:
        return skipped(expected, f"this is {environment.application.environment}")
    staging = staging_of(subject)
    if staging is None:
        mend = "declare deploy.staging: the environment in which releases are tried first"
        return unknown(expected, "nobody has said which environment that is", mend)
    name, history = staging
    heads = subject.site.source.migration_heads()
    expected = f"a release at {', '.join(heads)} has proved itself in {name}"
    same = [each for each in history.activations if set(each.release.heads) == set(heads)]
    for each in reversed(same):
        if history.state(each.release.id) is State.STABLE:
            release, entry = each.release, each.entry
            return passed(expected, f"{release.version} ({release.id}) on {entry.at:%Y-%m-%d}, run {entry.run}")
    mend = f"invoke release.deploy --ref TAG --env {name}"
    if same:
        states = ", ".join(f"{each.release.id} is {history.state(each.release.id)}" for each in same[-3:])
        return failed(expected, f"in {name}, {states}", f"{mend}, or see invoke release.list --env {name}")
    runs = history.current
    at = f"runs {runs.id}, at {', '.join(runs.heads) or 'no migration'}" if runs else "has no release in its ledger"
    return failed(expected, f"{name} {at}", mend)
