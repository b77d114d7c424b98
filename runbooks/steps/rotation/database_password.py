"""DATABASE_URL: the password of the role that the application connects as."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from urllib.parse import quote, urlsplit

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.environment.site import Site
from runbooks.environment.snapshots import Snapshots
from runbooks.steps.rotation.kind import Change, Kind
from runbooks.systems.postgres import roles
from runbooks.systems.postgres.access import Access

NAME = "DATABASE_URL"
HEALTH = "/health/db"


@dataclass
class DatabasePassword(Kind):
    """See `Kind`. One role has one password, so it changes together with the application: in `switch`."""

    site: Site
    title: str = "the database role's password"
    names: tuple[str, ...] = (NAME,)

    def plan(self) -> Iterator[str]:
        yield "one role has one password: from its change to the application's restart, some seconds, no new connection"
        yield "can be opened; those that are open go on"

    def look(self, current: Mapping[str, Secret]) -> str:
        url = current[NAME]
        if not (_user(url) and _password(url)):
            what = f"{NAME} names no role with a password"
            raise InputError(what, where=NAME, mend="a password is rotated only where there is one")
        if not roles.accepts(self._as(url)):
            what = f"the database does not accept the password in {NAME}, so it is not replaced"
            raise SystemFault(what, reason=Reason.UNAUTHORISED, where=str(self._operators))
        return f"the role {_user(url)} connects with the password of now"

    def make(self, current: Mapping[str, Secret]) -> Mapping[str, Secret]:
        return {NAME: with_password(current[NAME], secrets.token_urlsafe(32))}

    def test(self, change: Change) -> str:
        if _user(change.new[NAME]) != _user(change.old[NAME]):
            raise SystemFault(f"the new {NAME} names another role", reason=Reason.FAILED)
        return "the role has one password, so the new one is tried as soon as it is set"

    def switch(self, change: Change) -> str:
        return self._set(change.new[NAME], change)

    def is_switched(self, change: Change) -> bool:
        return roles.accepts(self._as(change.new[NAME]))

    def switch_back(self, change: Change) -> str:
        return self._set(change.old[NAME], change)

    def prove(self, _change: Change) -> str:
        answer = self.site.application.get(HEALTH)
        if answer.status != 200:
            what = "the application does not reach its database with the new password"
            raise SystemFault(what, reason=Reason.FAILED, where=f"GET {HEALTH}", found=f"HTTP {answer.status}")
        return "the application reaches its database on a new connection"

    def in_use(self, change: Change, since: datetime) -> bool:
        """The role has one password: whoever holds none of the connections from before has opened his with the new."""
        older = roles.sessions(self._admin(change), _user(change.new[NAME]), older_than=datetime.now(UTC) - since)
        return older == 0 and bool(self.prove(change))

    def users_of_old(self, change: Change) -> int:
        """Sessions that were opened before the new password was made: closed when whoever holds them starts anew."""
        passed = datetime.now(UTC) - (change.since or datetime.now(UTC))
        return roles.sessions(self._admin(change), _user(change.old[NAME]), older_than=passed)

    def is_withdrawn(self, change: Change) -> bool:
        return not roles.accepts(self._as(change.old[NAME]))

    def _set(self, url: Secret, change: Change) -> str:
        roles.set_password(self._admin(change), _user(url), Secret("password", _password(url)))
        if not roles.accepts(self._as(url)):
            what = "the database does not accept the password that was set"
            raise SystemFault(what, reason=Reason.FAILED, where=str(self._operators))
        return f"{_user(url)} has its {'new' if url == change.new[NAME] else 'old'} password, on a new connection"

    @cached_property
    def _operators(self) -> Access:
        """Where an operator reaches the database, as whoever may change roles."""
        return Snapshots(self.site).access

    def _as(self, url: Secret) -> Access:
        """The role of this URL, the way an operator reaches the database."""
        there = urlsplit(self._operators.url.reveal())
        given = f"{quote(_user(url), safe='')}:{quote(_password(url), safe='')}"
        place = there.netloc.rpartition("@")[2]
        return replace(self._operators, url=Secret(NAME, there._replace(netloc=f"{given}@{place}").geturl()))

    def _admin(self, change: Change) -> Access:
        """The operator's role; where that is the application's own, with whichever password it has now."""
        if self._operators.user != _user(change.old[NAME]):
            return self._operators
        new = self._as(change.new[NAME])
        return new if roles.accepts(new) else self._as(change.old[NAME])


def with_password(url: Secret, password: str) -> Secret:
    """The URL with another password."""
    parts = urlsplit(url.reveal())
    user, place = parts.netloc.rpartition("@")[0].partition(":")[0], parts.netloc.rpartition("@")[2]
    return Secret(url.name, parts._replace(netloc=f"{user}:{quote(password, safe='')}@{place}").geturl())


def _user(url: Secret) -> str:
    return str(Access(url=url).parameters().get("user") or "")


def _password(url: Secret) -> str:
    return str(Access(url=url).parameters().get("password") or "")
