"""Keys that Resend makes and deletes; https://resend.com/docs/api-reference/api-keys is the reference.

What it lists of a key is its id and its name, so one that was not made here can't be told by its value.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from runbooks.engine.secret import Secret
from runbooks.systems.http.client import HttpClient
from runbooks.systems.http.patience import Patience
from runbooks.systems.providers import resend
from runbooks.systems.providers.api import NotFound

SENDING = "sending_access"
"""What an application needs: its key can do nothing but send."""


@dataclass(frozen=True)
class _Listed:
    id: str
    name: str


@dataclass(frozen=True)
class _Keys:
    data: list[_Listed]
    has_more: bool = False


@dataclass(frozen=True)
class _Made:
    token: str


class ResendKeys:
    """See `KeyMaker`. A new key may only send, whatever the old one may do."""

    def __init__(self, http: HttpClient, admin_key: Secret, patience: Patience) -> None:
        self._admin = resend.api(http, admin_key, patience)

    def make(self, label: str, like: Secret) -> Secret:
        self.unmake(label)
        made = self._admin.post("/api-keys", _Made, {"name": label, "permission": SENDING})
        return Secret(like.name, made.token)

    def unmake(self, label: str) -> bool:
        ids = [each.id for each in self._all() if each.name == label]
        for id in ids:
            self.remove(id)
        return bool(ids)

    def find(self, _key: Secret, is_its_label: Callable[[str], bool]) -> str | None:
        found = [each.id for each in self._all() if is_its_label(each.name)]
        return found[0] if len(found) == 1 else None

    def has(self, id: str) -> bool:
        return any(each.id == id for each in self._all())

    def remove(self, id: str) -> None:
        with contextlib.suppress(NotFound):
            self._admin.delete(f"/api-keys/{id}")

    def _all(self) -> list[_Listed]:
        page = self._admin.get("/api-keys", _Keys, limit=100)
        found = page.data
        while page.has_more and page.data:
            page = self._admin.get("/api-keys", _Keys, limit=100, after=page.data[-1].id)
            found = found + page.data
        return found
