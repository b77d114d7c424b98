"""SendGrid's API: what a key may do, and the sending domains."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbooks.sandbox.provider.state import State

MESSAGES = {401: "authorization required", 403: "access forbidden", 429: "too many requests"}


def routes(state: State) -> list[Route]:
    api = SendGrid(state)
    return [
        Route("/v3/scopes", api.scopes, methods=["GET"]),
        Route("/v3/whitelabel/domains", api.domains, methods=["GET"]),
    ]


class SendGrid:
    """``accounts.json``'s ``sendgrid``: ``keys`` (``{"SG.…": {"scopes": […]?}}``), ``domains`` as at Resend."""

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
