"""Asks a restored database what the application asks: a login, users' own keys, a search among vectors.

That every row is equal was proven before. This proves that the rows are of use: with the key of the copied variables,
through rebuilt indexes.
"""

from __future__ import annotations

from collections.abc import Iterator

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.engine.step import Scope
from runbooks.environment.variable_copies import VariableCopies
from runbooks.steps.restoring import Restoring
from runbooks.systems.postgres import questions
from runbooks.systems.postgres.client import Connection
from runbooks.systems.secrets.fernet import opens
from runbooks.systems.secrets.passwords import matches

KEY = "ENCRYPTION_KEY"


def ask(restoring: Restoring, scope: Scope) -> str:
    """Ask all of it.

    Raises:
        SystemFault: an answer is not what it was when the snapshot was taken; the message says which.
    """
    with restoring.snapshots.access.connection(restoring.sibling, search_path="public") as connection:
        told = [_login(restoring, connection), _users_keys(restoring, connection), *_neighbours(connection)]
    answers = [each for each in told if each]
    scope.record("asked", snapshot=restoring.manifest.id, answers=answers)
    return "; ".join(answers)


def _login(restoring: Restoring, connection: Connection) -> str:
    backup = restoring.snapshots.environment.backup
    if backup.login is None or backup.login_password is None:
        return "no login was tried: backup.login and login_password are not declared"
    password = restoring.snapshots.site.value(backup.login_password, "backup.login_password")
    hashed = questions.password_hash(connection, backup.login)
    if hashed is None or not matches(password, hashed):
        what = "has another password" if hashed else "is not in the restored database"
        raise _wrong(restoring, f"{backup.login} {what}", "see backup.login and login_password in the inventory")
    return f"{backup.login} can log in"


def _users_keys(restoring: Restoring, connection: Connection) -> str:
    tokens = questions.stored_keys(connection)
    if not tokens:
        return "no user has stored a key"
    key, whose = _encryption_key(restoring)
    if key is None:
        raise _wrong(restoring, f"{whose} holds no {KEY}", f"set {KEY}, then invoke variables.backup")
    closed = sum(not opens(key, token) for token in tokens)
    if closed:
        mend = "find the key in an older copy of the variables: invoke variables.restore"
        raise _wrong(restoring, f"the {KEY} of {whose} does not open {closed} of {len(tokens)} users' keys", mend)
    return f"the {KEY} of {whose} opens {len(tokens)} users' keys"


def _encryption_key(restoring: Restoring) -> tuple[Secret | None, str]:
    """The key of the variables as they were copied last before the snapshot, and what holds it.

    Without any copy it is the environment's own: after a disaster nobody would have that one, which is said.
    """
    held = VariableCopies(restoring.snapshots)
    known = [copy for id in held.copies.ids() if (copy := held.copies.copy(id))]
    before = [copy for copy in known if copy.taken <= restoring.manifest.taken] or known[:1]
    if before:
        return held.value(before[-1], KEY), f"the copied variables {before[-1].id}"
    own = restoring.snapshots.site.variables.get(KEY)
    return own, "the environment (its variables are not copied: invoke variables.backup)"


def _neighbours(connection: Connection) -> Iterator[str]:
    found = questions.nearest(connection)
    empty = [name for name, count in found.items() if not count]
    if empty:
        raise SystemFault(
            "a search among vectors finds nothing",
            reason=Reason.BAD_ANSWER,
            found=", ".join(empty),
            mend="see how its index was restored",
        )
    if found:
        yield f"a search finds neighbours in {', '.join(found)}"


def _wrong(restoring: Restoring, found: str, mend: str) -> SystemFault:
    return SystemFault(
        "the restored database does not answer as the application needs it",
        reason=Reason.BAD_ANSWER,
        where=f"{restoring.sibling}, from {restoring.manifest.id}",
        found=found,
        mend=mend,
    )
