"""DATABASE_URL where the application has one role: its password changes together with the application."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.steps.rotation.database_url import NAME, DatabaseUrl, new_password, password_of, user_of, with_password
from runbooks.steps.rotation.kind import Change
from runbooks.systems.postgres import roles
from runbooks.systems.postgres.access import Access


@dataclass
class DatabasePassword(DatabaseUrl):
    """See `Kind`. One role has one password, so it changes together with the application: in `switch`."""

    def plan(self) -> Iterator[str]:
        yield "one role has one password: from its change to the application's restart, some seconds, no new connection"
        yield "can be opened; those that are open go on. Two roles that take turns have no such gap: [database.roles]"

    def make(self, current: Mapping[str, Secret]) -> Mapping[str, Secret]:
        return {NAME: with_password(current[NAME], new_password())}

    def test(self, change: Change) -> str:
        if user_of(change.new[NAME]) != user_of(change.old[NAME]):
            raise SystemFault(f"the new {NAME} names another role", reason=Reason.FAILED)
        return "the role has one password, so the new one is tried as soon as it is set"

    def switch(self, change: Change) -> str:
        return self._set(change.new[NAME], change)

    def is_switched(self, change: Change) -> bool:
        return roles.accepts(self.as_role_of(change.new[NAME]))

    def switch_back(self, change: Change) -> str:
        return self._set(change.old[NAME], change)

    def in_use(self, change: Change, since: datetime) -> bool:
        """The role has one password: whoever holds none of the connections from before has opened his with the new."""
        passed = datetime.now(UTC) - since
        return not [age for age in self.ages(change, user_of(change.new[NAME])) if age > passed] and bool(
            self.prove(change)
        )

    def users_of_old(self, change: Change) -> int:
        """Sessions that were opened before the new password was made: closed when whoever holds them starts anew."""
        passed = datetime.now(UTC) - (change.since or datetime.now(UTC))
        return sum(age > passed for age in self.ages(change, user_of(change.old[NAME])))

    def is_withdrawn(self, change: Change) -> bool:
        return not roles.accepts(self.as_role_of(change.old[NAME]))

    def _set(self, url: Secret, change: Change) -> str:
        roles.set_password(self.admin(change), user_of(url), Secret("password", password_of(url)))
        if not roles.accepts(self.as_role_of(url)):
            what = "the database does not accept the password that was set"
            raise SystemFault(what, reason=Reason.FAILED, where=str(self.operators))
        return f"{user_of(url)} has its {'new' if url == change.new[NAME] else 'old'} password, on a new connection"

    def admin(self, change: Change) -> Access:
        """The operator's role; where that is the application's own, with whichever password it has now."""
        if self.operators.user != user_of(change.old[NAME]):
            return self.operators
        new = self.as_role_of(change.new[NAME])
        return new if roles.accepts(new) else self.as_role_of(change.old[NAME])
