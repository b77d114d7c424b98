"""Mailgun's API: one sending domain."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbooks.sandbox.provider.state import State


def routes(state: State) -> list[Route]:
    api = Mailgun(state)
    return [
        Route("/v4/domains/{name}", api.domain, methods=["GET"]),
        Route("/v3/{name}/messages", api.send, methods=["POST"]),
    ]


class Mailgun:
    """``accounts.json``'s ``mailgun``: ``keys`` (``{"…": {"sends": "praviel.test"?}}``), ``domains``.

    A key that ``sends`` for one domain may do nothing else. Domains are as at Resend, and have a ``type``.
    """

    def __init__(self, state: State) -> None:
        self.state = state

    async def domain(self, request: Request) -> Response:
        behaviour, account = self.state.behaviour("mailgun"), self.state.account("mailgun")
        if behaviour.status:
            return _error(behaviour.status, "as told", behaviour.headers)
        entry = account.get("keys", {}).get(_key(request))
        if entry is None or entry.get("revoked") or entry.get("sends"):
            return _error(401, "Invalid private key")
        wanted = request.path_params["name"]
        found = next((each for each in account.get("domains", []) if each["name"] == wanted), None)
        if found is None:
            return _error(404, "Domain not found")
        verified = found.get("status", "verified") == "verified"
        domain = {
            "name": wanted,
            "state": "active" if verified else "unverified",
            "type": found.get("type", "custom"),
            "is_disabled": False,
        }
        record = {
            "record_type": "TXT",
            "valid": "valid" if verified else "unknown",
            "name": wanted,
            "is_active": verified,
        }
        return JSONResponse({"domain": domain, "sending_dns_records": [record], "receiving_dns_records": []})

    async def send(self, request: Request) -> Response:
        """Forms only are read, as at the real one, so any JSON lacks a sender."""
        behaviour, account = self.state.behaviour("mailgun"), self.state.account("mailgun")
        if behaviour.status:
            return _error(behaviour.status, "as told", behaviour.headers)
        entry = account.get("keys", {}).get(_key(request))
        wrong_domain = entry and entry.get("sends", request.path_params["name"]) != request.path_params["name"]
        if entry is None or entry.get("revoked") or wrong_domain:
            return _error(401, "Forbidden")
        return _error(400, "from parameter is missing")


def _key(request: Request) -> str:
    try:
        decoded = base64.b64decode(request.headers.get("authorization", "").removeprefix("Basic ")).decode()
    except (binascii.Error, ValueError):
        return ""
    return decoded.removeprefix("api:")


def _error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"message": message}, status_code=status, headers=headers)
