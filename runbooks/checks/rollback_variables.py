"""Going back brings the previous release's variables back, too."""

from __future__ import annotations

from runbooks.checks.copies import copies_of, opened
from runbooks.checks.declare import check
from runbooks.checks.released import NONE_BEFORE, gone_back_to, history_of
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed, skipped
from runbooks.engine.errors import InputError


@check("rollback.variables-kept", severity=Severity.CRITICAL, evidence=Evidence.LEDGER, target="store")
def variables_kept(subject: Subject) -> Finding:
    expected = "the previous release's record names a copy of its variables, and that can be read"
    held = copies_of(subject)
    previous = gone_back_to(history_of(subject))
    if previous is None:
        return skipped(expected, NONE_BEFORE)
    mend = f"go back to another one (invoke release.list), or write down what {previous.id} ran with"
    kept = previous.variables_backup
    if kept is None:
        return failed(expected, f"{previous.id} was deployed without a copy of its variables", mend)
    try:
        copy = held.copies.copy(kept)
    except InputError as error:
        return failed(expected, f"{previous.id}: {error.what}: {error.found}", mend)
    if copy is None:
        return failed(expected, f"{previous.id}: its copy {kept} is gone", mend)
    variables = opened(held, copy, expected, mend)
    if isinstance(variables, Finding):
        return variables
    return passed(expected, f"{previous.id}: {len(variables)} variables in {copy.id}")
