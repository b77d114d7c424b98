"""What OpenAI tells an administrator's key: costs, rate limits, spend limit and alerts of a project."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbooks.sandbox.provider import _openai_keys
from runbooks.sandbox.provider._openai_errors import error, failure, request_id
from runbooks.sandbox.provider.state import State

PROJECT = "/v1/organization/projects/{project}"


def routes(state: State) -> list[Route]:
    api = OpenAIAdmin(state)
    return [
        Route("/v1/organization/costs", api.costs, methods=["GET"]),
        Route(f"{PROJECT}/rate_limits", api.rate_limits, methods=["GET"]),
        Route(f"{PROJECT}/spend_limit", api.spend_limit, methods=["GET"]),
        Route(f"{PROJECT}/spend_alerts", api.spend_alerts, methods=["GET"]),
        *_openai_keys.routes(state, api.refusal),
    ]


class OpenAIAdmin:
    """``accounts.json``'s ``openai``: ``admin_keys`` (a list) and ``projects``, by id.

    A project holds ``spent`` (US dollars this month), ``rate_limits`` (requests a minute by model), ``spend_limit``
    (US dollars, or none) and ``spend_alerts`` (a list of US dollars).
    """

    def __init__(self, state: State) -> None:
        self.state = state

    async def costs(self, request: Request) -> Response:
        if refusal := self.refusal(request):
            return refusal
        wanted = request.query_params.getlist("project_ids")
        spent = [project["spent"] for name, project in self._projects().items() if not wanted or name in wanted]
        results = [
            {
                "object": "organization.costs.result",
                "amount": {"value": amount, "currency": "usd"},
                "line_item": None,
                "project_id": None,
            }
            for amount in spent
        ]
        start = int(request.query_params["start_time"])
        bucket = {"object": "bucket", "start_time": start, "end_time": start + 86400, "results": results}
        return _answer({"object": "page", "has_more": False, "next_page": None, "data": [bucket]})

    async def rate_limits(self, request: Request) -> Response:
        if refusal := self.refusal(request):
            return refusal
        limits = self._project(request).get("rate_limits", {})
        listed = [
            {
                "object": "project.rate_limit",
                "id": f"rl-{model}",
                "model": model,
                "max_requests_per_1_minute": requests,
                "max_tokens_per_1_minute": requests * 400,
            }
            for model, requests in limits.items()
        ]
        ends = {"first_id": listed[0]["id"], "last_id": listed[-1]["id"]} if listed else {}
        return _answer({"object": "list", "data": listed, "has_more": False, **ends})

    async def spend_limit(self, request: Request) -> Response:
        if refusal := self.refusal(request):
            return refusal
        limit = self._project(request).get("spend_limit")
        if limit is None:
            return error(404, "not_found", "invalid_request_error", "No spend limit is set.")
        amount = {"threshold_amount": int(limit * 100), "currency": "USD", "interval": "month"}
        return _answer({"object": "project.spend_limit", **amount, "enforcement": {"status": "enforcing"}})

    async def spend_alerts(self, request: Request) -> Response:
        if refusal := self.refusal(request):
            return refusal
        listed = [
            {
                "object": "project.spend_alert",
                "id": f"alert_{position}",
                "threshold_amount": int(amount * 100),
                "currency": "USD",
                "interval": "month",
                "notification_channel": {"type": "email", "recipients": ["operator@praviel.test"]},
            }
            for position, amount in enumerate(self._project(request).get("spend_alerts", []))
        ]
        return _answer({"object": "list", "data": listed, "has_more": False})

    def _projects(self) -> dict[str, Any]:
        projects: dict[str, Any] = self.state.account("openai").get("projects", {})
        return projects

    def _project(self, request: Request) -> dict[str, Any]:
        found: dict[str, Any] = self._projects().get(request.path_params["project"], {})
        return found

    def refusal(self, request: Request) -> Response | None:
        behaviour = self.state.behaviour("openai")
        if behaviour.status:
            return failure(behaviour)
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        account = self.state.account("openai")
        if key in account.get("admin_keys", []):
            return None
        if key in account.get("keys", {}):
            message = "You have insufficient permissions for this operation. Missing scopes: api.management.read."
            return error(403, None, "invalid_request_error", message)
        return error(401, "invalid_api_key", "invalid_request_error", "Incorrect API key provided.")


def _answer(body: dict[str, Any]) -> Response:
    return JSONResponse(body, headers=request_id())
