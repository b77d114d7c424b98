"""SendGrid's API: what a key may do, and the sending domains."""

from __future__ import annotations

import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbooks.sandbox.provider.state import State

MESSAGES = {401: "authorization required", 403: "access forbidden", 404: "not found", 429: "too many requests"}


def routes(state: State) -> list[Route]:
    api = SendGrid(state)
    return [
        Route("/v3/scopes", api.scopes, methods=["GET"]),
        Route("/v3/whitelabel/domains", api.domains, methods=["GET"]),
        Route("/v3/api_keys", api.keys, methods=["GET"]),
        Route("/v3/api_keys", api.make_key, methods=["POST"]),
        Route("/v3/api_keys/{id}", api.key, methods=["GET"]),
        Route("/v3/api_keys/{id}", api.delete_key, methods=["DELETE"]),
    ]


class SendGrid:
    """``accounts.json``'s ``sendgrid``: ``keys`` (``{"SG.ID.…": {"scopes": […]?, "name"?}}``), ``domains``."""

    def __init__(self, state: State) -> None:
        self.state = state

    async def scopes(self, request: Request) -> Response:
        scopes = self._scopes(request)
        return scopes if isinstance(scopes, Response) else JSONResponse({"scopes": scopes})

    async def domains(self, request: Request) -> Response:
        scopes = self._scopes(request)
        if isinstance(scopes, Response):
            return scopes
        if "whitelabel.read" not in scopes:
            return self._error(403)
        return JSONResponse([_domain(each) for each in self.state.account("sendgrid").get("domains", [])])

    async def keys(self, request: Request) -> Response:
        if refusal := self._unless_administrator(request):
            return refusal
        listed = [{"name": each.get("name", key), "api_key_id": _id(key)} for key, each in self._all().items()]
        return JSONResponse({"result": listed})

    async def key(self, request: Request) -> Response:
        if refusal := self._unless_administrator(request):
            return refusal
        id = request.path_params["id"]
        found = [each.get("name", key) for key, each in self._all().items() if _id(key) == id]
        return JSONResponse({"name": found[0], "api_key_id": id}) if found else self._error(404)

    async def make_key(self, request: Request) -> Response:
        if refusal := self._unless_administrator(request):
            return refusal
        body = await request.json()
        id, key = secrets.token_hex(11), secrets.token_hex(21) + "a"
        made = f"SG.{id}.{key}"
        self.state.add_key("sendgrid", made, {"name": body["name"], "scopes": body["scopes"]})
        told = {"api_key": made, "api_key_id": id, "name": body["name"], "scopes": body["scopes"]}
        return JSONResponse(told, status_code=201)

    async def delete_key(self, request: Request) -> Response:
        if refusal := self._unless_administrator(request):
            return refusal
        gone = {key for key in self._all() if _id(key) == request.path_params["id"]}
        if not gone:
            return self._error(404)
        self.state.delete_keys("sendgrid", gone)
        return Response(status_code=204)

    def _all(self) -> dict[str, Any]:
        keys: dict[str, Any] = self.state.account("sendgrid").get("keys", {})
        return keys

    def _unless_administrator(self, request: Request) -> Response | None:
        scopes = self._scopes(request)
        if isinstance(scopes, Response):
            return scopes
        return None if "api_keys.create" in scopes else self._error(403)

    def _scopes(self, request: Request) -> list[str] | Response:
        if status := self.state.behaviour("sendgrid").status:
            return self._error(status)
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        account = self.state.account("sendgrid").get("keys", {}).get(key)
        if account is None or account.get("revoked"):
            return self._error(401)
        scopes: list[str] = account.get("scopes", ["mail.send", "whitelabel.read"])
        return scopes

    def _error(self, status: int) -> Response:
        body = {"errors": [{"message": MESSAGES.get(status, f"status {status}"), "field": None}]}
        return JSONResponse(body, status_code=status, headers=self.state.behaviour("sendgrid").headers)


def _id(key: str) -> str:
    return key.split(".")[1]


def _domain(entry: dict[str, Any]) -> dict[str, Any]:
    name, valid = entry["name"], entry.get("status", "verified") == "verified"
    record = {"valid": valid, "type": "cname", "host": f"em1.{name}", "data": "u7.wl.sendgrid.net"}
    return {
        "id": 1,
        "user_id": 7,
        "subdomain": "em1",
        "domain": name,
        "ips": [],
        "custom_spf": False,
        "default": True,
        "legacy": False,
        "automatic_security": True,
        "valid": valid,
        "dns": {"mail_cname": record, "dkim1": record, "dkim2": record},
    }
