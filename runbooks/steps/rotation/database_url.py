"""What both ways of rotating DATABASE_URL share: how roles are tried, and how the application proves that it is in."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
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
class DatabaseUrl(Kind):
    """See `Kind`."""

    site: Site
    title: str = "the database role's password"
    names: tuple[str, ...] = (NAME,)

    def look(self, current: Mapping[str, Secret]) -> str:
        url = current[NAME]
        if not (user_of(url) and password_of(url)):
            what = f"{NAME} names no role with a password"
            raise InputError(what, where=NAME, mend="a password is rotated only where there is one")
        if not roles.accepts(self.as_role_of(url)):
            what = f"the database does not accept the password in {NAME}, so it is not replaced"
            raise SystemFault(what, reason=Reason.UNAUTHORISED, where=str(self.operators))
        return f"the role {user_of(url)} connects with the password of now"

    def prove(self, change: Change) -> str:
        """Raises SystemFault: the application does not reach its database, or over no connection that is new."""
        answer = self.site.application.get(HEALTH, headers={"Connection": "close"})
        status = answer.object().get("status") if answer.status == 200 else f"HTTP {answer.status}"
        if status != "ok":
            what = "the application does not reach its database with the new password"
            raise SystemFault(what, reason=Reason.FAILED, where=f"GET {HEALTH}", found=str(status))
        role = user_of(change.new[NAME])
        if change.since and not [age for age in self.ages(change, role) if age <= datetime.now(UTC) - change.since]:
            raise SystemFault(
                "no connection was opened since the new password was made, so the application still has the old one",
                reason=Reason.FAILED,
                where=f"{role} at {self.operators}",
            )
        return f"the application reaches its database as {role}, on a connection that it opened since"

    def ages(self, change: Change, role: str) -> list[timedelta]:
        """How long the sessions of a role have been open."""
        return list(roles.ages(self.admin(change), role))

    def admin(self, _change: Change) -> Access:
        """Whoever may change roles now."""
        return self.operators

    @cached_property
    def operators(self) -> Access:
        """Where an operator reaches the database, as whoever may change roles."""
        return Snapshots(self.site).access

    def as_role_of(self, url: Secret) -> Access:
        """The role of this URL, the way an operator reaches the database."""
        there = urlsplit(self.operators.url.reveal())
        given = f"{quote(user_of(url), safe='')}:{quote(password_of(url), safe='')}"
        place = there.netloc.rpartition("@")[2]
        return replace(self.operators, url=Secret(NAME, there._replace(netloc=f"{given}@{place}").geturl()))


def new_password() -> str:
    """One that needs no quoting anywhere."""
    return secrets.token_urlsafe(32)


def with_password(url: Secret, password: str, *, user: str | None = None) -> Secret:
    """The URL with another password, and another role where one is named."""
    parts = urlsplit(url.reveal())
    known, place = parts.netloc.rpartition("@")[0].partition(":")[0], parts.netloc.rpartition("@")[2]
    role = known if user is None else quote(user, safe="")
    return Secret(url.name, parts._replace(netloc=f"{role}:{quote(password, safe='')}@{place}").geturl())


def user_of(url: Secret) -> str:
    """The role that a URL names; empty if none."""
    return str(Access(url=url).parameters().get("user") or "")


def password_of(url: Secret) -> str:
    """The password in a URL; empty if none."""
    return str(Access(url=url).parameters().get("password") or "")
