"""Keys that OpenAI makes and deletes for an administrator: those of a project, and its service accounts."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbooks.sandbox.provider._openai_errors import error, request_id
from runbooks.sandbox.provider.state import State

PROJECT = "/v1/organization/projects/{project}"
Refusal = Callable[[Request], Response | None]


def routes(state: State, refusal: Refusal) -> list[Route]:
    api = OpenAIKeys(state, refusal)
    return [
        Route(f"{PROJECT}/api_keys", api.keys, methods=["GET"]),
        Route(f"{PROJECT}/api_keys/{{id}}", api.key, methods=["GET"]),
        Route(f"{PROJECT}/api_keys/{{id}}", api.delete_key, methods=["DELETE"]),
        Route(f"{PROJECT}/service_accounts", api.accounts, methods=["GET"]),
        Route(f"{PROJECT}/service_accounts", api.make_account, methods=["POST"]),
        Route(f"{PROJECT}/service_accounts/{{id}}", api.account, methods=["GET"]),
        Route(f"{PROJECT}/service_accounts/{{id}}", api.delete_account, methods=["DELETE"]),
    ]


class OpenAIKeys:
    """``accounts.json``'s ``openai.keys``; one that a service account has holds its name and id as ``service``."""

    def __init__(self, state: State, refusal: Refusal) -> None:
        self.state = state
        self.refusal = refusal

    async def keys(self, request: Request) -> Response:
        if refusal := self.refusal(request):
            return refusal
        return _page([_listed(key, each) for key, each in self._of(request).items()])

    async def key(self, request: Request) -> Response:
        found = [_listed(key, each) for key, each in self._of(request).items() if _id(key) == _wanted(request)]
        return self.refusal(request) or (_answer(found[0]) if found else _unknown())

    async def delete_key(self, request: Request) -> Response:
        wanted = _wanted(request)
        return self._deleted(request, "organization.project.api_key.deleted", lambda key, _each: _id(key) == wanted)

    async def accounts(self, request: Request) -> Response:
        if refusal := self.refusal(request):
            return refusal
        return _page(self._services(request))

    async def account(self, request: Request) -> Response:
        found = [each for each in self._services(request) if each["id"] == _wanted(request)]
        return self.refusal(request) or (_answer(found[0]) if found else _unknown())

    async def make_account(self, request: Request) -> Response:
        if refusal := self.refusal(request):
            return refusal
        service = {"id": f"svc_acct_{secrets.token_hex(6)}", "name": (await request.json())["name"]}
        key = f"sk-svcacct-{secrets.token_urlsafe(30)}T3BlbkFJ{secrets.token_urlsafe(30)}"
        self.state.add_key("openai", key, {"project": request.path_params["project"], "service": service})
        made = {"object": "organization.project.service_account.api_key", "id": _id(key), "value": key}
        told = {"object": "organization.project.service_account", **service, "role": "member", "api_key": made}
        return _answer({**told, "created_at": int(time.time())})

    async def delete_account(self, request: Request) -> Response:
        wanted = _wanted(request)
        deleted = "organization.project.service_account.deleted"
        return self._deleted(request, deleted, lambda _key, each: each.get("service", {}).get("id") == wanted)

    def _deleted(self, request: Request, what: str, meant: Callable[[str, dict[str, Any]], bool]) -> Response:
        if refusal := self.refusal(request):
            return refusal
        gone = {key for key, each in self._of(request).items() if meant(key, each)}
        if not gone:
            return _unknown()
        self.state.delete_keys("openai", gone)
        return _answer({"object": what, "id": _wanted(request), "deleted": True})

    def _services(self, request: Request) -> list[dict[str, Any]]:
        services = [each["service"] for each in self._of(request).values() if "service" in each]
        return [{"object": "organization.project.service_account", **each} for each in services]

    def _of(self, request: Request) -> dict[str, Any]:
        keys: dict[str, Any] = self.state.account("openai").get("keys", {})
        return {key: each for key, each in keys.items() if each.get("project") == request.path_params["project"]}


def _id(key: str) -> str:
    return f"key_{sum(key.encode()):x}{len(key):x}{key[-4:].encode().hex()}"


def _redacted(key: str) -> str:
    return f"{key[:8]}{'*' * 10}{key[-4:]}"


def _listed(key: str, each: dict[str, Any]) -> dict[str, Any]:
    service = each.get("service")
    owner = {"type": "service_account", "service_account": service} if service else {"type": "user"}
    shown = {"id": _id(key), "name": "key", "redacted_value": _redacted(key), "owner": owner}
    return {"object": "organization.project.api_key", **shown}


def _wanted(request: Request) -> str:
    return str(request.path_params["id"])


def _answer(body: dict[str, Any]) -> Response:
    return JSONResponse(body, headers=request_id())


def _unknown() -> Response:
    return error(404, "not_found", "invalid_request_error", "There is no such thing.")


def _page(listed: list[dict[str, Any]]) -> Response:
    ends = {"first_id": listed[0]["id"], "last_id": listed[-1]["id"]} if listed else {}
    return _answer({"object": "list", "data": listed, "has_more": False, **ends})
