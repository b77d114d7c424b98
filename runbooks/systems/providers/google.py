"""Google's Gemini API: the models that a key may use. It tells neither a key's project nor its limits nor costs.

https://ai.google.dev/api
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from runbooks.engine.secret import Secret
from runbooks.systems.http.client import Answer, HttpClient
from runbooks.systems.http.patience import Patience, retry_after
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


@dataclass(frozen=True)
class _Model:
    name: str


@dataclass(frozen=True)
class _Models:
    models: list[_Model]
    nextPageToken: str | None = None  # noqa: N815  # as it stands in the answer


class Google:
    """Asked with the application's key, which goes into a header: in the URL it would be logged."""

    def __init__(self, http: HttpClient, key: Secret, patience: Patience) -> None:
        headers = {"x-goog-api-key": key.reveal()}
        self._api = Api("Google", http, headers, patience, read=_refusal, wanted=_wanted)

    def models(self) -> Models:
        """See `ModelProvider`."""
        page = self._api.get("/models", _Models, pageSize=1000)
        names = {each.name for each in page.models}
        while page.nextPageToken:
            page = self._api.get("/models", _Models, pageSize=1000, pageToken=page.nextPageToken)
            names |= {each.name for each in page.models}
        return Models(frozenset(name.removeprefix("models/") for name in names))

    def has_model(self, name: str) -> bool:
        try:
            self._api.get(f"/models/{name}", _Model)
        except NotFound:
            return False
        return True


def _refusal(answer: Answer) -> Refusal:
    """A bad key is an invalid argument here; a status of 401 means a good one of the wrong sort for this path."""
    error = part_of(error_of(answer), "error")
    reasons = [str(each["reason"]) for each in _details(error) if "reason" in each]
    code = reasons[0] if reasons else str(error.get("status") or "")
    if "API_KEY_INVALID" in reasons:
        return Refusal(KeyRefused, code)
    if answer.status == 400 and error.get("status") == "FAILED_PRECONDITION":
        return Refusal(NotServed, code)  # this region is served only with billing
    if "SERVICE_DISABLED" in reasons:
        return Refusal(NotServed, code)
    if answer.status == 401 and "ACCESS_TOKEN_TYPE_UNSUPPORTED" in reasons:
        return Refusal(NotAllowed, code)
    return Refusal(BY_STATUS.get(answer.status), code)


def _wanted(answer: Answer) -> float | None:
    """Seconds to wait; they stand in the body, as ``{"@type": "…RetryInfo", "retryDelay": "3.5s"}``."""
    for detail in _details(part_of(error_of(answer), "error")):
        delay = str(detail.get("retryDelay", "")).removesuffix("s")
        if delay.replace(".", "", 1).isdigit():
            return float(delay)
    return retry_after(answer)


def _details(error: dict[str, Any]) -> list[dict[str, Any]]:
    details = error.get("details")
    return [each for each in details if isinstance(each, dict)] if isinstance(details, list) else []
