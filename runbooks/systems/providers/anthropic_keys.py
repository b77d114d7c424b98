"""Keys that Anthropic's API switches off and on; it makes none.

https://platform.claude.com/docs/en/api/admin/api_keys/update: a key is ``active``, ``inactive`` or ``archived``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from runbooks.engine.secret import Secret
from runbooks.systems.http.client import HttpClient
from runbooks.systems.http.patience import Patience
from runbooks.systems.providers import anthropic

PATH = "/organizations/api_keys"
ON, OFF = "active", "inactive"


@dataclass(frozen=True)
class _Key:
    id: str
    status: str
    partial_key_hint: str | None = None


@dataclass(frozen=True)
class _Keys:
    data: list[_Key]
    has_more: bool = False
    last_id: str | None = None


class AnthropicKeys:
    """See `KeySwitch`. Of a key, the API shows its beginning and its end."""

    def __init__(self, http: HttpClient, admin_key: Secret, patience: Patience) -> None:
        self._admin = anthropic.api(http, admin_key, patience)

    def is_on(self, key: Secret) -> bool | None:
        found = self._find(key)
        return found.status == ON if found else None

    def turn(self, key: Secret, *, on: bool) -> None:
        if found := self._find(key):
            self._admin.post(f"{PATH}/{found.id}", _Key, {"status": ON if on else OFF})

    def _find(self, key: Secret) -> _Key | None:
        query: dict[str, Any] = {"limit": 1000}
        page = self._admin.get(PATH, _Keys, **query)
        keys = page.data
        while page.has_more and page.last_id:
            page = self._admin.get(PATH, _Keys, **query, after_id=page.last_id)
            keys = keys + page.data
        found = [each for each in keys if anthropic.fits(key.reveal(), each.partial_key_hint or "")]
        return found[0] if len(found) == 1 else None
