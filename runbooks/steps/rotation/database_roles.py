"""DATABASE_URL where two roles take turns: the next one is let in before the last one is locked out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.engine.step import Scope
from runbooks.environment.database_roles import DatabaseRoles as Declared
from runbooks.steps.rotation.database_url import NAME, DatabaseUrl, new_password, password_of, user_of, with_password
from runbooks.steps.rotation.kind import Change
from runbooks.systems.postgres import roles, turns


@dataclass
class DatabaseRoles(DatabaseUrl):
    """See `Kind`. Nobody's connection is refused or ended: `wait` ends once the last one's sessions are gone."""

    title: str = "the database roles that take turns"

    @property
    def declared(self) -> Declared:
        """Which roles those are."""
        found = self.site.environment.database.roles
        assert found, "the kind is chosen by it"
        return found

    def plan(self) -> Iterator[str]:
        owner, (one, other) = self.declared.owner, self.declared.logins
        yield f"{one} and {other} take turns, and act as {owner}, which owns the tables: no connection is refused"
        yield "the last one is locked out once pg_stat_activity shows none of its sessions; none is ended by this"

    def look(self, current: Mapping[str, Secret]) -> str:
        said = super().look(current)
        user, owner = user_of(current[NAME]), self.declared.owner
        if user not in (owner, *self.declared.logins):
            raise self._refused(f"{NAME} names another role", user, f"name {user} in database.roles, or give it there")
        ours = {"backup.database_url": self.operators.user, "database.url": user_of(self.site.database_url)}
        from_variable = self.site.database_url == current[NAME]
        for key, name in ours.items():
            if name in (owner, *self.declared.logins) and not (key == "database.url" and from_variable):
                what = f"{key} logs in as a role that a rotation locks out"
                raise self._refused(what, name, f"declare {key} as an operator's role of its own")
        if not turns.exists(self.operators, owner):
            raise self._refused("the owner is no role of this server", owner, f"CREATE ROLE {owner} NOLOGIN")
        if not turns.may_change_roles(self.operators, owner):
            mend = (
                f"ALTER ROLE {self.operators.user} CREATEROLE; GRANT {owner} TO {self.operators.user} WITH ADMIN OPTION"
            )
            raise self._refused("the operator's role may not change these roles", self.operators.user, mend)
        if others := turns.strays(self.operators, owner):
            mend = "; ".join(f"REASSIGN OWNED BY {each} TO {owner}" for each in others)
            raise self._refused(f"tables belong to others than {owner}", ", ".join(others), mend)
        following = self._next(current)
        known = turns.login(self.operators, following, owner)
        if known and known.superuser:
            raise self._refused("the next role is a superuser", following, f"ALTER ROLE {following} NOSUPERUSER")
        if open_now := roles.ages(self.operators, following):
            mend = f"find out who that is: pg_stat_activity shows what {following} does"
            raise self._refused(f"somebody is connected as the next role ({len(open_now)})", following, mend)
        return f"{said}; {following} is next"

    def make(self, current: Mapping[str, Secret]) -> Mapping[str, Secret]:
        return {NAME: with_password(current[NAME], new_password(), user=self._next(current))}

    def set(self, change: Change, _scope: Scope) -> str:
        role = user_of(change.new[NAME])
        turns.let_in(self.operators, role, self.declared.owner, Secret("password", password_of(change.new[NAME])))
        return f"{role} may log in, beside {user_of(change.old[NAME])}"

    def is_set(self, change: Change) -> bool:
        new = self.as_role_of(change.new[NAME])
        return roles.accepts(new) and turns.acts_as(new) == self.declared.owner

    def unset(self, change: Change) -> str:
        role = user_of(change.new[NAME])
        turns.shut(self.operators, role)
        return f"{role} may not log in"

    def test(self, change: Change) -> str:
        """Raises SystemFault: what the new role would make does not belong to the owner."""
        role, acts_as = user_of(change.new[NAME]), turns.acts_as(self.as_role_of(change.new[NAME]))
        if acts_as != self.declared.owner:
            raise SystemFault(
                f"{role} does not act as {self.declared.owner} on a new connection",
                reason=Reason.FAILED,
                where=str(self.operators),
                found=f"current_user is {acts_as}",
                mend="PostgreSQL 17.1, 16.5, 15.9, 14.14 and 13.17 ignore ALTER ROLE … SET role: install the next one",
            )
        return f"{role} logs in and acts as {acts_as}, on a new connection"

    def in_use(self, change: Change, _since: datetime) -> bool:
        return self.users_of_old(change) == 0 and bool(self.prove(change))

    def users_of_old(self, change: Change) -> int:
        return len(roles.ages(self.operators, user_of(change.old[NAME])))

    def withdraw(self, change: Change) -> str:
        role = user_of(change.old[NAME])
        turns.lock_out(self.operators, role)
        return f"{role} may not log in any more"

    def is_withdrawn(self, change: Change) -> bool:
        return not roles.accepts(self.as_role_of(change.old[NAME]))

    def readmit(self, change: Change) -> str:
        role = user_of(change.old[NAME])
        turns.unlock(self.operators, role)
        return f"{role} may log in again"

    def _next(self, current: Mapping[str, Secret]) -> str:
        user = user_of(current[NAME])
        return next(each for each in self.declared.logins if each != user)

    def _refused(self, what: str, found: str, mend: str) -> InputError:
        return InputError(what, where=f"database.roles, {self.operators}", found=found, mend=mend)
