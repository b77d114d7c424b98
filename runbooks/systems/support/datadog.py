"""Datadog: whether a key is accepted, and which monitors watch something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from runbooks.engine.secret import Secret
from runbooks.systems.http.client import Answer, HttpClient
from runbooks.systems.http.patience import Patience
from runbooks.systems.providers.api import BY_STATUS, Api, NotAllowed, Refusal, error_of

BLIND = ("No Data", "Ignored", "Skipped", "Unknown")
"""States of a monitor that sees nothing."""


@dataclass(frozen=True)
class Options:
    """What of a monitor's settings matters here. ``silenced``: what is muted, until when; ``*`` is all of it."""

    silenced: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Monitor:
    """What Datadog calls an alert's rule."""

    id: int
    name: str
    message: str
    overall_state: str
    options: Options = field(default_factory=Options)

    @property
    def problem(self) -> str:
        """Why nobody would hear of it, or nothing."""
        if self.options.silenced:
            return "muted"
        if self.overall_state in BLIND:
            return f"sees nothing ({self.overall_state})"
        return "" if "@" in self.message else "tells nobody: its message names no @recipient"


@dataclass(frozen=True)
class _Validity:
    valid: bool


def accepts(http: HttpClient, key: Secret, patience: Patience) -> bool:
    """Whether Datadog knows this API key; another site's key is unknown to it too.

    Raises:
        SystemFault: Datadog did not say.
    """
    try:
        return _api(http, {"dd-api-key": key.reveal()}, patience).get("/api/v1/validate", _Validity).valid
    except NotAllowed:
        return False


def monitors(http: HttpClient, key: Secret, application_key: Secret, tag: str, patience: Patience) -> list[Monitor]:
    """The monitors with this tag.

    Raises:
        NotAllowed: a key is not accepted, or may not read monitors.
        SystemFault: Datadog did not say.
    """
    headers = {"dd-api-key": key.reveal(), "dd-application-key": application_key.reveal()}
    return _api(http, headers, patience).get("/api/v1/monitor", list[Monitor], monitor_tags=tag)


def _api(http: HttpClient, headers: Mapping[str, str], patience: Patience) -> Api:
    return Api("Datadog", http, headers, patience, read=_read)


def _read(answer: Answer) -> Refusal:
    errors = error_of(answer).get("errors")
    return Refusal(BY_STATUS.get(answer.status), str(errors[0]) if isinstance(errors, list) and errors else "")
