"""Roles that take turns in DATABASE_URL: the inventory's table ``[database.roles]``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from runbooks.environment.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseRoles:
    """Roles of the application's that take turns at logging in, so that a rotation refuses nobody.

    Attributes:
        owner: Whoever owns the tables: both act as it.
        logins: The two. They are made when they are first needed.
    """

    owner: str
    logins: tuple[str, ...]


def problems(declared: DatabaseRoles | None) -> Iterator[Problem]:
    """What contradicts itself."""
    if declared and (len(declared.logins) != 2 or len({declared.owner, *declared.logins}) != 3):
        what = "'database.roles' needs an owner and two logins, all of them different"
        found = f"owner {declared.owner}, logins {', '.join(declared.logins) or 'none'}"
        yield Problem(("database", "roles"), what, found=found, mend='logins = ["praviel_odd", "praviel_even"]')
