"""Anthropic's API: models and messages; for an administrator's key also keys, costs and rate limits."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbooks.sandbox.provider.answers import answer_text
from runbooks.sandbox.provider.state import Behaviour, State

MODELS = {"claude-sonnet-4-5-20250929": "Claude Sonnet 4.5", "claude-haiku-4-5-20251001": "Claude Haiku 4.5"}
KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
LIMITS = {
    "anthropic-ratelimit-requests-limit": "50",
    "anthropic-ratelimit-requests-remaining": "49",
    "anthropic-ratelimit-requests-reset": "2026-01-01T00:00:01Z",
    "anthropic-ratelimit-tokens-limit": "40000",
    "anthropic-ratelimit-tokens-remaining": "39000",
    "anthropic-ratelimit-tokens-reset": "2026-01-01T00:00:01Z",
}


def routes(state: State) -> list[Route]:
    api = Anthropic(state)
    return [
        Route("/v1/models", api.models, methods=["GET"]),
        Route("/v1/models/{model}", api.model, methods=["GET"]),
        Route("/v1/messages", api.messages, methods=["POST"]),
        Route("/v1/organizations/api_keys", api.api_keys, methods=["GET"]),
        Route("/v1/organizations/api_keys/{id}", api.switch_key, methods=["POST"]),
        Route("/v1/organizations/cost_report", api.cost_report, methods=["GET"]),
        Route("/v1/organizations/rate_limits", api.rate_limits, methods=["GET"]),
        Route("/v1/organizations/workspaces/{workspace}/rate_limits", api.rate_limits, methods=["GET"]),
    ]


class Anthropic:
    """``accounts.json``'s ``anthropic``: ``keys`` (``{"sk-ant-api03-…": {"workspace": "wrkspc_…"}}``), ``admin_keys``.

    Also ``workspaces``, by id, each with ``spent`` (US dollars this month) and ``rate_limits`` (requests a minute by
    model), and the organization's own ``rate_limits``.
    """

    def __init__(self, state: State) -> None:
        self.state = state

    async def models(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        listed = [_model(name) for name in MODELS]
        ends = {"first_id": listed[0]["id"], "last_id": listed[-1]["id"]}
        return JSONResponse({"data": listed, "has_more": False, **ends}, headers=self._headers())

    async def model(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        name = request.path_params["model"]
        found = name if name in MODELS else next((each for each in MODELS if each.startswith(f"{name}-")), None)
        if found is None:
            return self._error(404, f"model: {name}")
        return JSONResponse(_model(found), headers=self._headers())

    async def api_keys(self, request: Request) -> Response:
        if refusal := self._refusal(request, admin=True):
            return refusal
        listed = [_listed(key, entry) for key, entry in self._account()["keys"].items()]
        wanted = request.query_params.get("status")
        shown = [each for each in listed if wanted in (None, each["status"])]
        return JSONResponse({"data": shown, "has_more": False}, headers=self._headers())

    async def switch_key(self, request: Request) -> Response:
        if refusal := self._refusal(request, admin=True):
            return refusal
        account, status = self._account(), (await request.json())["status"]
        for key, entry in account["keys"].items():
            listed = _listed(key, entry)
            if listed["id"] == request.path_params["id"]:
                switched = {**entry, "revoked": status != "active"}
                self.state.set_account("anthropic", {**account, "keys": {**account["keys"], key: switched}})
                return JSONResponse({**listed, "status": status}, headers=self._headers())
        return self._error(404, "API key not found")

    async def cost_report(self, request: Request) -> Response:
        if refusal := self._refusal(request, admin=True):
            return refusal
        wanted = request.query_params.getlist("workspace_ids[]")
        results = [
            {
                "amount": str(workspace.get("spent", 0) * 100),
                "currency": "USD",
                "workspace_id": name,
                "description": None,
                "cost_type": "tokens",
            }
            for name, workspace in self._account().get("workspaces", {}).items()
            if not wanted or name in wanted
        ]
        start = request.query_params["starting_at"]
        day = {"starting_at": start, "ending_at": start, "results": results}
        return JSONResponse({"data": [day], "has_more": False, "next_page": None}, headers=self._headers())

    async def rate_limits(self, request: Request) -> Response:
        if refusal := self._refusal(request, admin=True):
            return refusal
        holder = self._account()
        if "workspace" in request.path_params:
            holder = holder.get("workspaces", {}).get(request.path_params["workspace"], {})
        groups = [
            {
                "type": "rate_limit",
                "group_type": "model_group",
                "models": [model],
                "limits": [{"type": "requests_per_minute", "value": value}],
            }
            for model, value in holder.get("rate_limits", {}).items()
        ]
        return JSONResponse({"data": groups, "next_page": None}, headers=self._headers())

    async def messages(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        body = await request.json()
        if body.get("model") not in MODELS:
            return self._error(404, f"model: {body.get('model')}")
        if not isinstance(body.get("max_tokens"), int):
            return self._error(400, "max_tokens: Field required")
        instructions = [{"role": "system", "content": body.get("system", "")}]
        told = self._behaviour.text
        text = told if told is not None else answer_text([*instructions, *body["messages"]])
        headers = {**LIMITS, **self._headers(), **(self._behaviour.headers or {})}
        return JSONResponse(_message(body["model"], text), headers=headers)

    @property
    def _behaviour(self) -> Behaviour:
        return self.state.behaviour("anthropic")

    def _account(self) -> dict[str, Any]:
        return self.state.account("anthropic")

    def _refusal(self, request: Request, *, admin: bool = False) -> Response | None:
        if self._behaviour.status:
            return self._error(self._behaviour.status, "as told")
        if "anthropic-version" not in request.headers:
            return self._error(400, "anthropic-version: header is required")
        key = request.headers.get("x-api-key")
        if not key:
            return self._error(401, "x-api-key header is required")
        if admin:
            known = key in self._account().get("admin_keys", [])
            return None if known else self._error(401, "invalid x-api-key")
        account = self._account().get("keys", {}).get(key)
        if account is None or account.get("revoked"):
            return self._error(401, "invalid x-api-key")
        return None

    def _headers(self) -> dict[str, str]:
        return {"request-id": f"req_{secrets.token_hex(12)}", "anthropic-organization-id": "org-sandbox"}

    def _error(self, status: int, message: str) -> Response:
        headers = {**self._headers(), **(self._behaviour.headers or {})}
        error = {"type": KINDS.get(status, "api_error"), "message": message}
        body = {"type": "error", "error": error, "request_id": headers["request-id"]}
        return JSONResponse(body, status_code=status, headers=headers)


def _model(name: str) -> dict[str, str]:
    return {"type": "model", "id": name, "display_name": MODELS[name], "created_at": "2025-09-29T00:00:00Z"}


def _listed(key: str, entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "api_key",
        "id": f"apikey_{hashlib.sha256(key.encode()).hexdigest()[:16]}",
        "name": "application",
        "partial_key_hint": f"{key[:18]}...{key[-4:]}",
        "status": "inactive" if entry.get("revoked") else "active",
        "workspace_id": entry.get("workspace"),
    }


def _message(model: str, text: str) -> dict[str, Any]:
    count = len(text.split())
    return {
        "id": f"msg_{secrets.token_hex(12)}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": count, "output_tokens": count},
    }
