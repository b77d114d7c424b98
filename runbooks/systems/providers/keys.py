"""Keys that a vendor makes and revokes by its API, so that nobody has to copy one out of a dashboard.

A key that is made carries a label. Its value is told once, in the answer: where that was lost because the process died,
the next call with the same label revokes the key whose value nobody has, and makes another.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from runbooks.engine.secret import Secret
from runbooks.systems.http.client import HttpClient
from runbooks.systems.http.patience import Patience
from runbooks.systems.providers import openai, sendgrid
from runbooks.systems.providers.api import NotFound

_SENDGRID_KEY = re.compile(r"SG\.(?P<id>[\w-]+)\.[\w-]+")
"""A key holds its own id, by which it is listed and deleted."""
_HIDDEN = re.compile(r"\*+|\.{2,}|…")
"""What stands for the middle of a key that OpenAI lists."""


class KeyMaker(Protocol):
    """Asked with a key that may administer keys."""

    def make(self, label: str, like: Secret) -> Secret:
        """A new key that may do what `like` may.

        Raises:
            KeyRefused: the vendor does not know `like` or the administrator's key.
            NotAllowed: the administrator's key may not make keys.
            SystemFault: anything else.
        """
        ...

    def revoke(self, key: Secret) -> bool:
        """Have it refused from now on; whether it was found. False: it is gone already, or can't be told from others.

        Raises:
            SystemFault: as `make`.
        """
        ...


@dataclass(frozen=True)
class _Scopes:
    scopes: list[str]


@dataclass(frozen=True)
class _SendGridKey:
    api_key_id: str
    name: str


@dataclass(frozen=True)
class _SendGridKeys:
    result: list[_SendGridKey]


@dataclass(frozen=True)
class _MadeAtSendGrid:
    api_key: str


class SendGridKeys:
    """See `KeyMaker`; https://www.twilio.com/docs/sendgrid/api-reference/api-keys is the reference."""

    def __init__(self, http: HttpClient, admin_key: Secret, patience: Patience) -> None:
        self._http, self._patience = http, patience
        self._admin = sendgrid.api(http, admin_key, patience)

    def make(self, label: str, like: Secret) -> Secret:
        scopes = sendgrid.api(self._http, like, self._patience).get("/v3/scopes", _Scopes).scopes
        for each in self._admin.get("/v3/api_keys", _SendGridKeys).result:
            if each.name == label:
                self._delete(each.api_key_id)
        made = self._admin.post("/v3/api_keys", _MadeAtSendGrid, {"name": label, "scopes": scopes})
        return Secret(like.name, made.api_key)

    def revoke(self, key: Secret) -> bool:
        known = _SENDGRID_KEY.fullmatch(key.reveal())
        return self._delete(known["id"]) if known else False

    def _delete(self, id: str) -> bool:
        try:
            self._admin.delete(f"/v3/api_keys/{id}")
        except NotFound:
            return False
        return True


@dataclass(frozen=True)
class _Account:
    id: str
    name: str


@dataclass(frozen=True)
class _Accounts:
    data: list[_Account]
    has_more: bool = False
    last_id: str | None = None


@dataclass(frozen=True)
class _ListedKey:
    id: str
    redacted_value: str


@dataclass(frozen=True)
class _ListedKeys:
    data: list[_ListedKey]
    has_more: bool = False
    last_id: str | None = None


@dataclass(frozen=True)
class _MadeKey:
    value: str


@dataclass(frozen=True)
class _MadeAccount:
    api_key: _MadeKey


class OpenAIKeys:
    """See `KeyMaker`. A key belongs to a service account of its own, which no person's leaving ends.

    https://platform.openai.com/docs/api-reference/project-service-accounts and …/project-api-keys. What the old key was
    restricted to can't be read there: a new one may do what members of the project may.
    """

    def __init__(self, http: HttpClient, admin_key: Secret, patience: Patience, project: str) -> None:
        self._admin = openai.api(http, admin_key, patience)
        self._project = f"/organization/projects/{project}"

    def make(self, label: str, like: Secret) -> Secret:
        for each in self._accounts():
            if each.name == label:
                self._admin.delete(f"{self._project}/service_accounts/{each.id}")
        made = self._admin.post(f"{self._project}/service_accounts", _MadeAccount, {"name": label})
        return Secret(like.name, made.api_key.value)

    def revoke(self, key: Secret) -> bool:
        ids = [each.id for each in self._keys() if _may_be(each.redacted_value, key.reveal())]
        if len(ids) != 1:
            return False
        self._admin.delete(f"{self._project}/api_keys/{ids[0]}")
        return True

    def _accounts(self) -> list[_Account]:
        page = self._admin.get(f"{self._project}/service_accounts", _Accounts, limit=100)
        found = page.data
        while page.has_more and page.last_id:
            page = self._admin.get(f"{self._project}/service_accounts", _Accounts, limit=100, after=page.last_id)
            found = found + page.data
        return found

    def _keys(self) -> list[_ListedKey]:
        page = self._admin.get(f"{self._project}/api_keys", _ListedKeys, limit=100)
        found = page.data
        while page.has_more and page.last_id:
            page = self._admin.get(f"{self._project}/api_keys", _ListedKeys, limit=100, after=page.last_id)
            found = found + page.data
        return found


def _may_be(listed: str, key: str) -> bool:
    """Whether a key that is shown with its middle hidden can be this one."""
    ends = _HIDDEN.split(listed)
    return len(ends) == 2 and len(ends[1]) >= 4 and key.startswith(ends[0]) and key.endswith(ends[1])
