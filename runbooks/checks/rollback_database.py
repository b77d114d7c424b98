"""Going back brings the previous release's data back, too, where a migration lies between."""

from __future__ import annotations

from runbooks.checks import reading
from runbooks.checks.declare import check
from runbooks.checks.released import NONE_BEFORE, gone_back_to, history_of
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, skipped


@check(
    "rollback.database-restorable",
    severity=Severity.CRITICAL,
    evidence=Evidence.PROBE,
    target="store",
    seconds=reading.SECONDS + 20,
)
def database_restorable(subject: Subject) -> Finding:
    expected = "the snapshot that a rollback would restore is there, with the bytes that were written"
    history = history_of(subject)
    previous = gone_back_to(history)
    if previous is None:
        return skipped(expected, NONE_BEFORE)
    mend = "go back to another release (invoke release.list), or roll forward; find out what happened to the store"
    wanted = history.snapshot_before_first_after(previous.id)
    if wanted is None:
        if set(previous.heads) == set(history.heads):
            return skipped(expected, f"no snapshot was taken after {previous.id}; its code suits today's schema")
        found = f"no snapshot was taken after {previous.id}, and the schema has been migrated since"
        return failed(expected, found, mend)
    manifest = subject.site.shelf.manifest(wanted)
    if manifest is None:
        return failed(expected, f"{wanted}, from before what came after {previous.id}, is not there any more", mend)
    return reading.judge(subject, manifest, f"{expected}: for {previous.id}", mend)
