"""REDIS_URL: the password of the server's user that the application connects as."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from urllib.parse import unquote, urlsplit

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.engine.step import Scope
from runbooks.environment.site import Site
from runbooks.steps.rotation.database_url import with_password
from runbooks.steps.rotation.kind import Change, Kind
from runbooks.systems.redis import users
from runbooks.systems.redis.client import RedisServer
from runbooks.systems.redis.users import Place

NAME = "REDIS_URL"
COUNTED = "/health/db"
"""A page whose requests the application counts in Redis; /health is not."""
LIMIT, REMAINING = "X-RateLimit-Limit", "X-RateLimit-Remaining"
"""What a counted request is answered with; without Redis as much remains as the limit is."""

IN_MEMORY = "this server keeps its users in its memory only: put the new password where it is started from, too"


@dataclass
class RedisPassword(Kind):
    """See `Kind`. The user accepts both passwords until nobody uses the old one."""

    site: Site
    title: str = "the Redis user's password"
    names: tuple[str, ...] = (NAME,)
    _kept: bool = False
    """Whether this process had the server keep its users; a killed one may have changed them and not come to that."""

    def plan(self) -> Iterator[str]:
        yield "both passwords are accepted until nobody uses the old one: no connection is refused"
        where = users.place(self._operators)
        yield f"the server keeps its users in {where}" if where is not Place.MEMORY else IN_MEMORY

    def look(self, current: Mapping[str, Secret]) -> str:
        url = current[NAME]
        if not _password(url).reveal():
            raise InputError(
                f"{NAME} holds no password", where=NAME, mend="a password is rotated only where there is one"
            )
        role = self._operators.info("replication")
        if role.get("role") != "master" or int(role.get("connected_slaves", 0)):
            raise InputError(
                "this server has replicas or is one, and each server has users of its own",
                where=str(self._operators),
                found=f"role {role.get('role')}, {role.get('connected_slaves', 0)} replicas",
                mend="change the password on each of them by hand",
            )
        if not self._as(url).accepted():
            what = f"the server does not accept the password in {NAME}, so it is not replaced"
            raise SystemFault(what, reason=Reason.UNAUTHORISED, where=str(self._operators))
        name = self._as(url).user
        if users.user(self._operators, name).any_password:
            raise InputError(
                f"the user {name} is let in with any password",
                where=str(self._operators),
                mend=f"invoke release.verify --only redis.password; then: ACL SETUSER {name} resetpass",
            )
        return f"the user {name} connects with the password of now; kept in {users.place(self._operators)}"

    def make(self, current: Mapping[str, Secret]) -> Mapping[str, Secret]:
        return {NAME: with_password(current[NAME], secrets.token_urlsafe(32))}

    def set(self, change: Change, _scope: Scope) -> str:
        return self._accept(change.new[NAME], change, "both passwords")

    def is_set(self, change: Change) -> bool:
        return self._kept and self._as(change.new[NAME]).accepted()

    def unset(self, change: Change) -> str:
        return self._refuse(change.new[NAME], change, "the old password alone")

    def test(self, change: Change) -> str:
        server = self._as(change.new[NAME])
        if not server.accepted():
            what = "the server does not accept the new password"
            raise SystemFault(what, reason=Reason.UNAUTHORISED, where=str(server))
        return f"{server.user} is let in with it, on a new connection"

    def prove(self, change: Change) -> str:
        answer = self.site.application.get(COUNTED, headers={"Connection": "close"})
        counted = answer.headers.get(LIMIT) != answer.headers.get(REMAINING)
        if not counted and answer.status != 429:
            raise SystemFault(
                "the application does not count requests in Redis, so it does not reach it",
                reason=Reason.FAILED,
                where=f"GET {COUNTED}",
                found=f"HTTP {answer.status}, {REMAINING}: {answer.headers.get(REMAINING, 'not there')}",
            )
        if change.since and not [age for age in self._ages(change) if age <= datetime.now(UTC) - change.since]:
            raise SystemFault(
                "no connection was opened since the new password was made, so the application still has the old one",
                reason=Reason.FAILED,
                where=str(self._operators),
            )
        return "the application counts requests in Redis, on a connection that it opened since"

    def users_of_old(self, change: Change) -> int:
        """Connections that were opened before the new password was made: closed when whoever holds them starts anew."""
        passed = datetime.now(UTC) - (change.since or datetime.now(UTC))
        return sum(age > passed for age in self._ages(change))

    def withdraw(self, change: Change) -> str:
        return self._refuse(change.old[NAME], change, "the new password alone")

    def is_withdrawn(self, change: Change) -> bool:
        return self._kept and not self._as(change.old[NAME]).accepted()

    def readmit(self, change: Change) -> str:
        return self._accept(change.old[NAME], change, "both passwords")

    def _ages(self, change: Change) -> list[timedelta]:
        return users.ages(self._admin(change), self._as(change.old[NAME]).user)

    def _accept(self, url: Secret, change: Change, accepted: str) -> str:
        users.accept(self._admin(change), self._as(url).user, _password(url))
        return self._keep(change, accepted)

    def _refuse(self, url: Secret, change: Change, accepted: str) -> str:
        users.refuse(self._admin(change), self._as(url).user, _password(url))
        return self._keep(change, accepted)

    def _keep(self, change: Change, accepted: str) -> str:
        where = users.keep(self._admin(change))
        self._kept = True
        kept = IN_MEMORY if where is Place.MEMORY else f"kept in {where}"
        return f"{self._as(change.new[NAME]).user} is let in with {accepted}; {kept}"

    @cached_property
    def _operators(self) -> RedisServer:
        return self.site.redis

    def _as(self, url: Secret) -> RedisServer:
        """The user of this URL, the way an operator reaches the server."""
        return self._operators.as_user_of(url)

    def _admin(self, change: Change) -> RedisServer:
        """The operator's user; where that is the application's own, with whichever password is accepted now."""
        new = self._as(change.new[NAME])
        if self._operators.user != new.user:
            return self._operators
        return new if new.accepted() else self._as(change.old[NAME])


def _password(url: Secret) -> Secret:
    return Secret("password", unquote(urlsplit(url.reveal()).password or ""))
