"""ENCRYPTION_KEY: encrypts users' own API keys; all of their rows change with it."""

from __future__ import annotations

import base64
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from runbooks.checks.tokens import signed
from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.engine.step import Scope
from runbooks.environment.site import Site
from runbooks.environment.snapshots import Snapshots
from runbooks.steps.reencryption import USERS_KEYS, Reencryption
from runbooks.steps.rotation.kind import Change, Kind
from runbooks.systems.postgres.side_table import SideTable
from runbooks.systems.variables.copies import refuse_without

NAME = "ENCRYPTION_KEY"
TRIES = 8
"""Requests, each on a connection of its own: workers and replicas share them."""


@dataclass
class EncryptionKey(Kind):
    """See `Kind`. The rows change together with the application: in `switch`."""

    site: Site
    run: str
    title: str = NAME
    names: tuple[str, ...] = (NAME,)

    def plan(self) -> Iterator[str]:
        yield "every row of user_api_config is encrypted anew, those of deleted users, too"
        yield "the application knows one key: from the swap of the rows to its restart no user's key opens"
        yield "the old key stays in the encrypted copies of the variables: snapshots from before need it"

    def look(self, current: Mapping[str, Secret]) -> str:
        refuse_without(self._snapshots.recipient_keys)
        if self.site.variable("JWT_SECRET_KEY") is None:
            what = "JWT_SECRET_KEY is not set, so it can't be proven that the application opens a user's key"
            raise InputError(what, where="[variables]")
        found = Reencryption.of(self._snapshots.access, self.run, current[NAME], _new_key()).refuse_strange()
        return f"{found.old} rows, all of which open with the key of now"

    def make(self, _current: Mapping[str, Secret]) -> Mapping[str, Secret]:
        return {NAME: _new_key()}

    def set(self, change: Change, scope: Scope) -> str:
        self._rows(change).encrypt(scope.stop_event, scope.say)
        return "every value is in the side table, under both keys"

    def is_set(self, change: Change) -> bool:
        return self._rows(change).encrypted()

    def unset(self, change: Change) -> str:
        return "the side table is dropped" if self._rows(change).forget() else "there is no side table"

    def test(self, change: Change) -> str:
        found = self._rows(change).refuse_strange()
        return (
            f"each of {found.old + found.new} rows opens with one of the keys; each new value was proven as it was made"
        )

    def switch(self, change: Change) -> str:
        return self._rows(change).swap()

    def is_switched(self, change: Change) -> bool:
        return self._rows(change).swapped()

    def switch_back(self, change: Change) -> str:
        return self._rows(change).swap_back()

    def settle(self, change: Change) -> str:
        caught_up = self._rows(change).catch_up()
        left = self._rows(change).refuse_strange().old
        if left:
            what = "rows are under the old key although the application runs with the new one"
            raise SystemFault(what, reason=Reason.FAILED, where=str(USERS_KEYS), found=f"{left} rows")
        return caught_up

    def settle_back(self, change: Change) -> str:
        return self._rows(change).catch_up(back=True)

    def users_of_old(self, _change: Change) -> int:
        """Nobody: every process was started with the new key, and no row is left under the old one."""
        return 0

    def tidy(self) -> str:
        with self._snapshots.access.connection() as connection:
            self._side.drop(connection)
        return "the side table is dropped"

    def is_tidied(self) -> bool:
        with self._snapshots.access.connection() as connection:
            return self._side.stage(connection) is None

    @property
    def _side(self) -> SideTable:
        return SideTable(USERS_KEYS, self.run)

    @cached_property
    def _snapshots(self) -> Snapshots:
        return Snapshots(self.site)

    def _rows(self, change: Change) -> Reencryption:
        return Reencryption.of(self._snapshots.access, self.run, change.old[NAME], change.new[NAME])

    def prove(self, _change: Change) -> str:
        """Have the application decrypt a user's key, as that user; it answers with its length only."""
        rows = self.site.database.rows(
            'SELECT c.user_id, c.provider FROM user_api_config c JOIN "user" u ON u.id = c.user_id'
            " WHERE u.is_active ORDER BY c.id DESC LIMIT 1"
        )
        if not rows:
            return "no active user has stored a key that the application could be asked for"
        path = f"/api/v1/api-keys/{rows[0]['provider']}/test"
        for _ in range(TRIES):
            answer = self.site.application.get(path, headers=self._as_user(int(rows[0]["user_id"])))
            if answer.status != 200:
                what = "the application can't open a user's key with the new ENCRYPTION_KEY"
                raise SystemFault(what, reason=Reason.FAILED, where=f"GET {path}", found=f"HTTP {answer.status}")
        return f"the application opens a user's key, {TRIES} times out of {TRIES}"

    def _as_user(self, id: int) -> Mapping[str, str]:
        """A token that lives for a minute; nobody but this process sees it."""
        key, now = self.site.variable("JWT_SECRET_KEY"), int(time.time())
        assert key, "looked at before"
        claims = {"sub": str(id), "iat": now, "exp": now + 60, "token_type": "access", "jti": secrets.token_urlsafe(32)}
        token = Secret("token", signed(claims, key))
        self.site.mask(token)
        return {"Authorization": f"Bearer {token.reveal()}", "Connection": "close"}


def _new_key() -> Secret:
    return Secret(NAME, base64.urlsafe_b64encode(os.urandom(32)).decode())
