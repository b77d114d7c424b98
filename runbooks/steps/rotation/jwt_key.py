"""JWT_SECRET_KEY: signs all tokens, and there is only one; a new one logs everybody out."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from runbooks.checks.tokens import signed
from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.environment.site import Site
from runbooks.steps.rotation.kind import Change, Kind

NAME = "JWT_SECRET_KEY"
ME = "/api/v1/users/me"
TRIES = 8
"""Requests, each on a connection of its own: workers and replicas share them."""

KNOWN, REFUSED = "Invalid token type", "Could not validate credentials"
"""What the application answers to a refresh token that is used as an access token: the first if its signature is right,
for it looks at that ahead of the type. So a token can be tried that is nobody's and opens nothing."""


@dataclass
class JwtKey(Kind):
    """See `Kind`."""

    site: Site
    title: str = NAME
    names: tuple[str, ...] = (NAME,)

    def cost(self) -> int | None:
        return int(self.site.database.value('SELECT count(*) FROM "user" WHERE is_active'))

    def plan(self) -> Iterator[str]:
        yield f"everybody is logged out: the sessions of up to {self.cost()} active users; they log in again"
        yield "the application knows one key: from the first replica's restart to the last one's, replicas differ"

    def make(self, _current: Mapping[str, Secret]) -> Mapping[str, Secret]:
        return {NAME: Secret(NAME, secrets.token_urlsafe(48))}

    def test(self, change: Change) -> str:
        """Load the release's settings with it; where its source is not declared, nothing can be asked ahead."""
        if self.site.environment.release.source is None:
            return "release.source is not declared, so the release's settings are not tried ahead"
        problem = self.site.interpreter.settings_problem({**self.site.variables, **change.new}, 60)
        if problem:
            what = f"the release's settings do not load with the new {NAME}"
            raise SystemFault(what, reason=Reason.REFUSED, found=problem)
        return "the release's settings load with it"

    def prove(self, change: Change) -> str:
        for _ in range(TRIES):
            if self._knows(change.new[NAME]) is not True:
                raise SystemFault(f"a replica does not accept tokens of the new {NAME}", reason=Reason.FAILED)
        return f"tokens of the new key are accepted, {TRIES} times out of {TRIES}"

    def in_use(self, change: Change, _since: datetime) -> bool:
        new, old = change.new[NAME], change.old[NAME]
        return all(self._knows(new) and not self._knows(old) for _ in range(TRIES))

    def users_of_old(self, change: Change) -> int:
        """How many of some requests met a replica that still accepts the old key."""
        return sum(self._knows(change.old[NAME]) for _ in range(TRIES))

    def _knows(self, key: Secret) -> bool:
        now = int(time.time())
        token = signed(
            {"sub": "0", "iat": now, "exp": now + 60, "token_type": "refresh", "jti": secrets.token_urlsafe(32)},
            key.reveal(),
        )
        headers = {"Authorization": f"Bearer {token}", "Connection": "close"}
        answer = self.site.application.get(ME, headers=headers)
        detail = answer.object().get("detail")
        if answer.status != 401 or detail not in (KNOWN, REFUSED):
            raise SystemFault(
                "the application answers otherwise to a refresh token than it promises",
                reason=Reason.BAD_ANSWER,
                where=f"GET {ME}",
                found=f"HTTP {answer.status}",
            )
        return bool(detail == KNOWN)
