"""OpenAI: the models that a key may use; with an administrator's key also limits and costs.

https://platform.openai.com/docs/api-reference
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from runbooks.engine.secret import Secret
from runbooks.systems.http.client import Answer, HttpClient
from runbooks.systems.http.patience import Patience
from runbooks.systems.providers.api import (
    BY_STATUS,
    Api,
    KeyRefused,
    NotAllowed,
    NotFound,
    NotServed,
    Refusal,
    error_of,
    part_of,
)
from runbooks.systems.providers.models import Models

NO_MONEY = {
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
}
"""Codes of a 429 that waiting does not help against."""


class AnotherProject(KeyRefused):
    """The key belongs to another project than was named."""

    says = "says that the key belongs to another project"
    remedy = "see the project in the vendor's dashboard"


@dataclass(frozen=True)
class SpendLimit:
    """A limit at which requests are refused. ``amount`` in US dollars a month; ``status`` is OpenAI's word."""

    amount: Decimal
    status: str


@dataclass(frozen=True)
class _Model:
    id: str
    shutdown_date: str | None = None


@dataclass(frozen=True)
class _Models:
    data: list[_Model]


@dataclass(frozen=True)
class _Amount:
    value: Decimal


@dataclass(frozen=True)
class _Cost:
    amount: _Amount


@dataclass(frozen=True)
class _Bucket:
    results: list[_Cost]


@dataclass(frozen=True)
class _Costs:
    data: list[_Bucket]
    next_page: str | None = None


@dataclass(frozen=True)
class _RateLimit:
    model: str
    max_requests_per_1_minute: int


@dataclass(frozen=True)
class _RateLimits:
    data: list[_RateLimit]
    has_more: bool = False
    last_id: str | None = None


@dataclass(frozen=True)
class _Enforcement:
    status: str


@dataclass(frozen=True)
class _SpendLimit:
    threshold_amount: int
    enforcement: _Enforcement


@dataclass(frozen=True)
class _SpendAlert:
    threshold_amount: int


@dataclass(frozen=True)
class _SpendAlerts:
    data: list[_SpendAlert]


class OpenAI:
    """Asked with the application's key.

    Args:
        project: The project that the key should belong to; None if that does not matter.
    """

    def __init__(self, http: HttpClient, key: Secret, patience: Patience, project: str | None = None) -> None:
        headers = {"openai-project": project} if project else {}
        self._api = api(http, key, patience, headers)

    def models(self) -> Models:
        """See `ModelProvider`.

        Raises:
            AnotherProject: the key belongs to another project.
        """
        listed = self._api.get("/models", _Models).data
        endings = {each.id: each.shutdown_date for each in listed if each.shutdown_date}
        return Models(frozenset(each.id for each in listed), endings)

    def has_model(self, name: str) -> bool:
        try:
            self._api.get(f"/models/{name}", _Model)
        except NotFound:
            return False
        return True


class OpenAIAdmin:
    """Asked with an administrator's key, which can do nothing but administer."""

    def __init__(self, http: HttpClient, key: Secret, patience: Patience) -> None:
        self._api = api(http, key, patience)

    def spent(self, since: datetime, project: str | None = None) -> Decimal:
        """What was spent since then, in US dollars; of one project if it is named."""
        query: dict[str, Any] = {"start_time": int(since.timestamp()), "bucket_width": "1d", "limit": 31}
        if project:
            query |= {"project_ids": [project]}
        page = self._api.get("/organization/costs", _Costs, **query)
        buckets = page.data
        while page.next_page:
            page = self._api.get("/organization/costs", _Costs, **query, page=page.next_page)
            buckets = buckets + page.data
        return sum((cost.amount.value for bucket in buckets for cost in bucket.results), Decimal())

    def requests_per_minute(self, project: str) -> dict[str, int]:
        """The rate limit of each model in a project."""
        path = f"/organization/projects/{project}/rate_limits"
        page = self._api.get(path, _RateLimits, limit=100)
        limits = page.data
        while page.has_more and page.last_id:
            page = self._api.get(path, _RateLimits, limit=100, after=page.last_id)
            limits = limits + page.data
        return {each.model: each.max_requests_per_1_minute for each in limits}

    def spend_limit(self, project: str) -> SpendLimit | None:
        """The project's spend limit; None if there is none."""
        try:
            found = self._api.get(f"/organization/projects/{project}/spend_limit", _SpendLimit)
        except NotFound:
            return None
        return SpendLimit(Decimal(found.threshold_amount) / 100, found.enforcement.status)

    def spend_alerts(self, project: str) -> list[Decimal]:
        """The amounts, in US dollars a month, at which somebody is told."""
        found = self._api.get(f"/organization/projects/{project}/spend_alerts", _SpendAlerts)
        return [Decimal(each.threshold_amount) / 100 for each in found.data]


def api(http: HttpClient, key: Secret, patience: Patience, headers: Mapping[str, str] | None = None) -> Api:
    """OpenAI's API, asked with this key."""
    given = {"authorization": f"Bearer {key.reveal()}", **(headers or {})}
    return Api("OpenAI", http, given, patience, read=_refusal)


def _refusal(answer: Answer) -> Refusal:
    error = part_of(error_of(answer), "error")
    code, kind, message = (str(error.get(name) or "") for name in ("code", "type", "message"))
    if code == "mismatched_project":
        return Refusal(AnotherProject, code)
    if answer.status == 429:
        return Refusal(NotServed, code or kind) if {code, kind} & NO_MONEY else Refusal(None, code)
    if answer.status == 401 and "Missing scopes" in message:  # a restricted key is a valid one
        return Refusal(NotAllowed, "missing scopes")
    if answer.status == 401 and not error:
        return Refusal(KeyRefused)
    return Refusal(BY_STATUS.get(answer.status), code)
