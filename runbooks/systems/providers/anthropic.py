"""Anthropic: the models that a key may use; with an administrator's key also keys, limits and costs.

https://platform.claude.com/docs/en/api and …/docs/en/manage-claude/rate-limits-api
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from runbooks.engine.secret import Secret
from runbooks.systems.http.client import Answer, HttpClient
from runbooks.systems.http.patience import Patience
from runbooks.systems.providers.api import BY_STATUS, Api, NotFound, NotServed, Refusal, error_of, part_of
from runbooks.systems.providers.models import Models

VERSION = "2023-06-01"


@dataclass(frozen=True)
class _Model:
    id: str


@dataclass(frozen=True)
class _Models:
    data: list[_Model]
    has_more: bool = False
    last_id: str | None = None


@dataclass(frozen=True)
class _Key:
    partial_key_hint: str | None
    status: str
    workspace_id: str | None


@dataclass(frozen=True)
class _Keys:
    data: list[_Key]
    has_more: bool = False
    last_id: str | None = None


@dataclass(frozen=True)
class _Cost:
    amount: Decimal


@dataclass(frozen=True)
class _Day:
    results: list[_Cost]


@dataclass(frozen=True)
class _Costs:
    data: list[_Day]
    next_page: str | None = None


@dataclass(frozen=True)
class _Limit:
    type: str
    value: float


@dataclass(frozen=True)
class _Group:
    group_type: str
    limits: list[_Limit]
    models: list[str] | None = None


@dataclass(frozen=True)
class _Groups:
    data: list[_Group]
    next_page: str | None = None


class Anthropic:
    """Asked with the application's key."""

    def __init__(self, http: HttpClient, key: Secret, patience: Patience) -> None:
        self._api = api(http, key, patience)

    def models(self) -> Models:
        """See `ModelProvider`."""
        page = self._api.get("/models", _Models, limit=1000)
        names = {each.id for each in page.data}
        while page.has_more and page.last_id:
            page = self._api.get("/models", _Models, limit=1000, after_id=page.last_id)
            names |= {each.id for each in page.data}
        return Models(frozenset(names))

    def has_model(self, name: str) -> bool:
        try:
            self._api.get(f"/models/{name}", _Model)
        except NotFound:
            return False
        return True


class AnthropicAdmin:
    """Asked with an administrator's key. There is none for an account of one person."""

    def __init__(self, http: HttpClient, key: Secret, patience: Patience) -> None:
        self._api = api(http, key, patience)

    def workspaces_of(self, key: Secret) -> list[str]:
        """The workspaces that hold an active key which looks like this one; the default one is called ``default``.

        Of a key, the API shows its beginning and its end. The key itself is not sent.
        """
        page = self._api.get("/organizations/api_keys", _Keys, limit=1000, status="active")
        keys = page.data
        while page.has_more and page.last_id:
            page = self._api.get("/organizations/api_keys", _Keys, limit=1000, status="active", after_id=page.last_id)
            keys = keys + page.data
        return [each.workspace_id or "default" for each in keys if fits(key.reveal(), each.partial_key_hint or "")]

    def spent(self, since: datetime, workspace: str | None = None) -> Decimal:
        """What was spent since then, in US dollars; of one workspace if it is named."""
        query: dict[str, Any] = {"starting_at": since.strftime("%Y-%m-%dT%H:%M:%SZ"), "bucket_width": "1d", "limit": 31}
        if workspace:
            query |= {"workspace_ids[]": workspace}
        page = self._api.get("/organizations/cost_report", _Costs, **query)
        days = page.data
        while page.next_page:
            page = self._api.get("/organizations/cost_report", _Costs, **query, page=page.next_page)
            days = days + page.data
        return sum((cost.amount for day in days for cost in day.results), Decimal()) / 100  # it counts in cents

    def requests_per_minute(self, workspace: str | None = None) -> dict[str, int]:
        """The rate limit of each model: the workspace's own, where it has one, else the organization's."""
        limits = self._limits("/organizations/rate_limits")
        if workspace:
            limits |= self._limits(f"/organizations/workspaces/{workspace}/rate_limits")
        return limits

    def _limits(self, path: str) -> dict[str, int]:
        page = self._api.get(path, _Groups)
        groups = page.data
        while page.next_page:
            page = self._api.get(path, _Groups, page=page.next_page)
            groups = groups + page.data
        return {
            model: int(limit.value)
            for group in groups
            if group.group_type == "model_group"
            for limit in group.limits
            if limit.type == "requests_per_minute"
            for model in group.models or ()
        }


def api(http: HttpClient, key: Secret, patience: Patience) -> Api:
    """Anthropic's API, asked with this key."""
    headers = {"x-api-key": key.reveal(), "anthropic-version": VERSION}
    return Api("Anthropic", http, headers, patience, read=_refusal)


def fits(key: str, hint: str) -> bool:
    """Whether a key that is shown by its beginning and its end can be this one."""
    beginning, dots, end = hint.partition("...")
    return bool(dots) and key.startswith(beginning) and key.endswith(end)


def _refusal(answer: Answer) -> Refusal:
    error = part_of(error_of(answer), "error")
    code = str(error.get("type") or "")
    # No credit can also arrive as an invalid request, told apart by its words only.
    if answer.status == 400 and "credit balance" in str(error.get("message")):
        return Refusal(NotServed, code)
    return Refusal(BY_STATUS.get(answer.status), code)
