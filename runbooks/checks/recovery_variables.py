"""After a disaster the variables are there, too: encrypted, current, and with the key that users' rows need."""

from __future__ import annotations

from typing import LiteralString

from runbooks.checks.copies import BACK_UP, copies_of, newest
from runbooks.checks.declare import check
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed, skipped, unknown
from runbooks.engine.errors import Reason
from runbooks.environment.secret_store import current_variables
from runbooks.systems.secrets.fernet import opens

KEY = "ENCRYPTION_KEY"
ROWS: LiteralString = """
    (SELECT encrypted_api_key FROM user_api_config ORDER BY id LIMIT 10) UNION
    (SELECT encrypted_api_key FROM user_api_config ORDER BY id DESC LIMIT 10)"""
"""The oldest and the newest: a key that was changed without its rows opens one end of them only."""


@check(
    "secrets.encryption-key-recoverable",
    severity=Severity.CRITICAL,
    evidence=Evidence.LEDGER,
    target="store",
)
def encryption_key_recoverable(subject: Subject) -> Finding:
    expected = f"the {KEY} in the newest copy of the variables opens users' rows in the database"
    if not subject.site.flag("BYOK_ENABLED", default=True):
        return skipped(expected, "BYOK_ENABLED is false: no user's key is stored")
    found = newest(subject, expected)
    if isinstance(found, Finding):
        return found
    copy, variables = found
    key = variables.get(KEY)
    if not key:
        return failed(expected, f"{copy.id} holds no {KEY}", f"set it, then {BACK_UP}")
    rows = [str(row["encrypted_api_key"]) for row in subject.site.database.rows(ROWS, [])]
    closed = sum(not opens(key, row) for row in rows)
    if closed:
        mend = "find the key that they were encrypted with, in an older copy: invoke variables.restore"
        return failed(expected, f"{copy.id}: its {KEY} does not open {closed} of {len(rows)} rows", mend)
    if not rows:
        same = subject.variables.get(KEY) == key
        told = "no user has stored a key yet; the copy's key is the one that runs"
        return passed(expected, told) if same else failed(expected, f"{copy.id} holds another {KEY}", BACK_UP)
    return passed(expected, f"{copy.id}: its {KEY} opens all {len(rows)} rows that were tried")


@check(
    "recovery.variables-backed-up",
    severity=Severity.CRITICAL,
    evidence=Evidence.LEDGER,
    target="store",
)
def variables_backed_up(subject: Subject) -> Finding:
    expected = "the newest copy of the variables is encrypted, can be read, and holds the variables of now"
    found = newest(subject, expected)
    if isinstance(found, Finding):
        return found
    copy, variables = found
    if current_variables(subject.site) == variables:
        return passed(expected, f"{copy.id}: {len(variables)} variables, encrypted to {len(copy.encrypted)} keys")
    differences = copies_of(subject).differences(copy)
    if not differences:
        return unknown(expected, f"{copy.id} does not hold what its manifest says", BACK_UP, Reason.BAD_ANSWER)
    return failed(expected, f"{copy.id} is of other variables; since then {differences}", BACK_UP)
