"""Keys that OpenAI makes and deletes for an administrator.

https://platform.openai.com/docs/api-reference/project-service-accounts and …/project-api-keys. What the old key was
restricted to can't be read there: a new one may do what members of the project may.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from runbooks.engine.secret import Secret
from runbooks.systems.http.client import HttpClient
from runbooks.systems.http.patience import Patience
from runbooks.systems.providers import openai
from runbooks.systems.providers.api import NotFound
from runbooks.systems.providers.keys import OURS

_HIDDEN = re.compile(r"\*+|\.{2,}|…")
"""What stands for the middle of a key that is listed."""


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
class _Owner:
    service_account: _Account | None = None


@dataclass(frozen=True)
class _Key:
    id: str
    redacted_value: str
    owner: _Owner = _Owner()


@dataclass(frozen=True)
class _Keys:
    data: list[_Key]
    has_more: bool = False
    last_id: str | None = None


@dataclass(frozen=True)
class _MadeKey:
    value: str


@dataclass(frozen=True)
class _MadeAccount:
    api_key: _MadeKey


@dataclass(frozen=True)
class _Anything:
    id: str


class OpenAIKeys:
    """See `KeyMaker`. A key belongs to a service account of its own, which no person's leaving ends."""

    def __init__(self, http: HttpClient, admin_key: Secret, patience: Patience, project: str) -> None:
        self._admin = openai.api(http, admin_key, patience)
        self._project = f"/organization/projects/{project}"

    def make(self, label: str, like: Secret) -> Secret:
        self.unmake(label)
        made = self._admin.post(f"{self._project}/service_accounts", _MadeAccount, {"name": label})
        return Secret(like.name, made.api_key.value)

    def unmake(self, label: str) -> bool:
        ids = [each.id for each in self._accounts() if each.name == label]
        for id in ids:
            self.remove(f"service_accounts/{id}")
        return bool(ids)

    def find(self, key: Secret, _is_its_label: Callable[[str], bool]) -> str | None:
        found = [each for each in self._keys() if _may_be(each.redacted_value, key.reveal())]
        if len(found) != 1:
            return None
        account = found[0].owner.service_account
        # One of ours has no other key, and is not to be left behind without any.
        ours = account and account.name.startswith(OURS)
        return f"service_accounts/{account.id}" if account and ours else f"api_keys/{found[0].id}"

    def has(self, id: str) -> bool:
        try:
            self._admin.get(f"{self._project}/{id}", _Anything)
        except NotFound:
            return False
        return True

    def remove(self, id: str) -> None:
        with contextlib.suppress(NotFound):
            self._admin.delete(f"{self._project}/{id}")

    def _accounts(self) -> list[_Account]:
        path = f"{self._project}/service_accounts"
        page = self._admin.get(path, _Accounts, limit=100)
        found = page.data
        while page.has_more and page.last_id:
            page = self._admin.get(path, _Accounts, limit=100, after=page.last_id)
            found = found + page.data
        return found

    def _keys(self) -> list[_Key]:
        path = f"{self._project}/api_keys"
        page = self._admin.get(path, _Keys, limit=100)
        found = page.data
        while page.has_more and page.last_id:
            page = self._admin.get(path, _Keys, limit=100, after=page.last_id)
            found = found + page.data
        return found


def _may_be(listed: str, key: str) -> bool:
    """Whether a key that is shown with its middle hidden can be this one."""
    ends = _HIDDEN.split(listed)
    return len(ends) == 2 and len(ends[1]) >= 4 and key.startswith(ends[0]) and key.endswith(ends[1])
