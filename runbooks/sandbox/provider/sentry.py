"""Sentry's ingestion: where an application with a DSN sends its errors."""

from __future__ import annotations

import json
import re

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbooks.sandbox.provider.state import State

KEY = re.compile(r"[0-9a-fA-F]{32}")


def routes(state: State) -> list[Route]:
    return [Route("/api/{project}/envelope/", Sentry(state).envelope, methods=["POST"])]


class Sentry:
    """``accounts.json``'s ``sentry``: ``projects`` (``{"4501": {"key": "32 hexadecimal digits", "active": true}}``)."""

    def __init__(self, state: State) -> None:
        self.state = state

    async def envelope(self, request: Request) -> Response:
        behaviour = self.state.behaviour("sentry")
        if behaviour.status:
            return JSONResponse({"detail": f"status {behaviour.status}"}, behaviour.status, behaviour.headers)
        return await self._taken(request)

    async def _taken(self, request: Request) -> Response:
        found = re.search(r"sentry_key=([^,\s]+)", request.headers.get("x-sentry-auth", ""))
        if not found:
            return _error(401, "missing authorization information")
        if not KEY.fullmatch(found[1]):
            return _error(400, "bad sentry DSN public key", "invalid project key")
        lines = (await request.body()).split(b"\n")
        try:
            event = json.loads(lines[0]).get("event_id")
        except ValueError as error:
            return _error(400, "invalid event envelope", str(error))
        if not any(lines[1:]):  # nothing in it: nothing is looked at, whoever sends it
            return JSONResponse({"id": event})
        project = self.state.account("sentry").get("projects", {}).get(request.path_params["project"])
        if not project or project["key"] != found[1] or not project.get("active", True):
            return _error(403, "event submission rejected with_reason: ProjectId")
        return JSONResponse({"id": event})


def _error(status: int, detail: str, *causes: str) -> Response:
    return JSONResponse({"detail": detail} | ({"causes": list(causes)} if causes else {}), status_code=status)
