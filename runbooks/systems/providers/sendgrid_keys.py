"""Keys that SendGrid makes and deletes.

https://www.twilio.com/docs/sendgrid/api-reference/api-keys
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from runbooks.engine.secret import Secret
from runbooks.systems.http.client import HttpClient
from runbooks.systems.http.patience import Patience
from runbooks.systems.providers import sendgrid
from runbooks.systems.providers.api import NotFound

_KEY = re.compile(r"SG\.(?P<id>[\w-]+)\.[\w-]+")
"""A key holds its own id, by which it is listed and deleted."""


@dataclass(frozen=True)
class _Scopes:
    scopes: list[str]


@dataclass(frozen=True)
class _Listed:
    api_key_id: str
    name: str


@dataclass(frozen=True)
class _Keys:
    result: list[_Listed]


@dataclass(frozen=True)
class _Made:
    api_key: str


class SendGridKeys:
    """See `KeyMaker`."""

    def __init__(self, http: HttpClient, admin_key: Secret, patience: Patience) -> None:
        self._http, self._patience = http, patience
        self._admin = sendgrid.api(http, admin_key, patience)

    def make(self, label: str, like: Secret) -> Secret:
        scopes = sendgrid.api(self._http, like, self._patience).get("/v3/scopes", _Scopes).scopes
        self.unmake(label)
        made = self._admin.post("/v3/api_keys", _Made, {"name": label, "scopes": scopes})
        return Secret(like.name, made.api_key)

    def unmake(self, label: str) -> bool:
        ids = [each.api_key_id for each in self._admin.get("/v3/api_keys", _Keys).result if each.name == label]
        for id in ids:
            self.remove(id)
        return bool(ids)

    def find(self, key: Secret, _is_its_label: Callable[[str], bool]) -> str | None:
        known = _KEY.fullmatch(key.reveal())
        return known["id"] if known and self.has(known["id"]) else None

    def has(self, id: str) -> bool:
        try:
            self._admin.get(f"/v3/api_keys/{id}", _Listed)
        except NotFound:
            return False
        return True

    def remove(self, id: str) -> None:
        with contextlib.suppress(NotFound):
            self._admin.delete(f"/v3/api_keys/{id}")
