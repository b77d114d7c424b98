"""Datadog's API: whether a key is one, and the monitors of a tag."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbooks.sandbox.provider.state import State


def routes(state: State) -> list[Route]:
    api = Datadog(state)
    return [
        Route("/api/v1/validate", api.validate, methods=["GET"]),
        Route("/api/v1/monitor", api.monitors, methods=["GET"]),
    ]


class Datadog:
    """``accounts.json``'s ``datadog``.

    ``keys`` and ``application_keys`` (lists), and ``monitors`` (a list of
    ``{"id", "name", "tags", "overall_state", "message", "options": {"silenced": {}}}``).
    """

    def __init__(self, state: State) -> None:
        self.state = state

    async def validate(self, request: Request) -> Response:
        return self._refusal(request) or JSONResponse({"valid": True})

    async def monitors(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        account = self.state.account("datadog")
        if request.headers.get("dd-application-key") not in account.get("application_keys", []):
            return _error(403, "Forbidden")
        wanted = set(filter(None, request.query_params.get("monitor_tags", "").split(",")))
        return JSONResponse([each for each in account.get("monitors", []) if wanted <= set(each["tags"])])

    def _refusal(self, request: Request) -> Response | None:
        behaviour = self.state.behaviour("datadog")
        if behaviour.status:
            return _error(behaviour.status, f"Status {behaviour.status}", dict(behaviour.headers or {}))
        known = request.headers.get("dd-api-key") in self.state.account("datadog").get("keys", [])
        return None if known else _error(403, "Forbidden")


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"errors": [message]}, status_code=status, headers=headers)
