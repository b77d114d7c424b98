"""Resend's API: send a mail, read it, list the sending domains."""

from __future__ import annotations

import secrets
import uuid
from datetime import UTC, datetime
from email.utils import parseaddr
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runbooks.sandbox.provider.state import State

LIMITS = {"ratelimit-limit": "5", "ratelimit-remaining": "4", "ratelimit-reset": "1"}
LONGEST_NAME = 50
"""Characters of a key's name."""
FAILURES = {
    429: ("rate_limit_exceeded", "Too many requests. You can only make 5 requests per second."),
    500: ("application_error", "An unexpected error occurred."),
}


def routes(state: State) -> list[Route]:
    api = Resend(state)
    return [
        Route("/emails", api.send, methods=["POST"]),
        Route("/emails/{mail_id}", api.mail, methods=["GET"]),
        Route("/domains", api.domains, methods=["GET"]),
        Route("/api-keys", api.keys, methods=["GET"]),
        Route("/api-keys", api.make_key, methods=["POST"]),
        Route("/api-keys/{key_id}", api.delete_key, methods=["DELETE"]),
        Route("/domains/{domain_id}", api.domain, methods=["GET"]),
    ]


class Resend:
    """``accounts.json``'s ``resend``: ``keys`` (``{"re_…": {"permission": "sending_access"?}}``), ``domains``.

    A key may have a ``name``.
    """

    def __init__(self, state: State) -> None:
        self.state = state

    async def send(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        body = await request.json()
        recipients = [body["to"]] if isinstance(body["to"], str) else body["to"]
        if refusal := self._sender_refusal(body["from"]):
            return refusal
        if refusal := _recipient_refusal(recipients):
            return refusal
        mail_id = str(uuid.uuid4())
        mail = {
            "id": mail_id,
            "created_at": datetime.now(UTC).isoformat(),
            **{name: body.get(name) for name in ("from", "subject", "text", "html")},
            "to": recipients,
        }
        if not self.state.behaviour("resend").lose_mails:
            self.state.note_mail(mail)
        return JSONResponse({"id": mail_id}, headers=LIMITS)

    async def mail(self, request: Request) -> Response:
        if refusal := self._refusal(request, reading=True):
            return refusal
        wanted = request.path_params["mail_id"]
        found = [mail for mail in self.state.mails() if mail["id"] == wanted]
        if not found:
            return _error(404, "not_found", "Email not found")
        return JSONResponse({"object": "email", "last_event": "delivered", **found[0]}, headers=LIMITS)

    async def domains(self, request: Request) -> Response:
        if refusal := self._refusal(request, reading=True):
            return refusal
        listed = [{name: value for name, value in domain.items() if name != "records"} for domain in self._domains()]
        return JSONResponse({"object": "list", "has_more": False, "data": listed}, headers=LIMITS)

    async def domain(self, request: Request) -> Response:
        if refusal := self._refusal(request, reading=True):
            return refusal
        wanted = request.path_params["domain_id"]
        found = [domain for domain in self._domains() if domain["id"] == wanted]
        if not found:
            return _error(404, "not_found", "Domain not found")
        return JSONResponse({"object": "domain", **found[0]}, headers=LIMITS)

    async def keys(self, request: Request) -> Response:
        if refusal := self._refusal(request, reading=True):
            return refusal
        listed = [{"id": _key_id(key), "name": each.get("name", "application")} for key, each in self._keys().items()]
        return JSONResponse({"object": "list", "has_more": False, "data": listed}, headers=LIMITS)

    async def make_key(self, request: Request) -> Response:
        if refusal := self._refusal(request, reading=True):
            return refusal
        body = await request.json()
        if len(body["name"]) > LONGEST_NAME:
            return _error(422, "validation_error", f"The name must be at most {LONGEST_NAME} characters.")
        key = f"re_{secrets.token_urlsafe(24)}"
        self.state.add_key("resend", key, {"name": body["name"], "permission": body.get("permission", "full_access")})
        return JSONResponse({"id": _key_id(key), "token": key}, status_code=201, headers=LIMITS)

    async def delete_key(self, request: Request) -> Response:
        if refusal := self._refusal(request, reading=True):
            return refusal
        gone = {key for key in self._keys() if _key_id(key) == request.path_params["key_id"]}
        if not gone:
            return _error(404, "not_found", "API key not found")
        self.state.delete_keys("resend", gone)
        return Response(status_code=200, headers=LIMITS)

    def _keys(self) -> dict[str, Any]:
        keys: dict[str, Any] = self.state.account("resend").get("keys", {})
        return keys

    def _domains(self) -> list[dict[str, Any]]:
        return [_domain(entry) for entry in self.state.account("resend").get("domains", [])]

    def _refusal(self, request: Request, *, reading: bool = False) -> Response | None:
        told = self.state.behaviour("resend")
        if told.status:
            refusal = _error(told.status, *FAILURES.get(told.status, ("validation_error", "As told.")))
            refusal.headers.update(told.headers or {})
            return refusal
        if not request.headers.get("user-agent"):
            return Response("error code: 1010", status_code=403)
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not key:
            return _error(401, "missing_api_key", "Missing API Key")
        account = self.state.account("resend").get("keys", {}).get(key)
        if account is None or account.get("revoked"):
            return _error(403, "invalid_api_key", "API key is invalid")
        if reading and account.get("permission") == "sending_access":
            return _error(401, "restricted_api_key", "This API key is restricted to only send emails")
        return None

    def _sender_refusal(self, sender: str) -> Response | None:
        name = parseaddr(sender)[1].rpartition("@")[2]
        if any(domain["name"] == name and domain["status"] == "verified" for domain in self._domains()):
            return None
        message = f"The {name} domain is not verified. Please, add and verify your domain."
        return _error(403, "validation_error", message)


def _key_id(key: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, key))


def _recipient_refusal(recipients: list[str]) -> Response | None:
    for recipient in recipients:
        if recipient.rpartition("@")[2] in {"example.com", "test.com"}:
            message = f"Invalid `to` field: {recipient}. Use a resend.dev address for tests."
            return _error(422, "validation_error", message)
    return None


def _domain(entry: dict[str, Any]) -> dict[str, Any]:
    """A domain as Resend shows it. Only its name is required in ``accounts.json``."""
    name, status = entry["name"], entry.get("status", "verified")
    record = {"ttl": "Auto", "status": "verified" if status == "verified" else "pending"}
    records = [
        {
            "record": "SPF",
            "name": "send",
            "type": "TXT",
            "value": "v=spf1 include:amazonses.com ~all",
            **record,
        },
        {"record": "DKIM", "name": "resend._domainkey", "type": "TXT", "value": "p=MIGfMA0GCSq", **record},
    ]
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_DNS, name)),
        "name": name,
        "status": status,
        "created_at": "2025-10-26 20:21:26.347412+00",
        "region": "us-east-1",
        "open_tracking": False,
        "click_tracking": False,
        "capabilities": {"sending": "enabled", "receiving": "disabled"},
        "records": entry.get("records", records),
    }


def _error(status: int, name: str, message: str) -> Response:
    body = {"statusCode": status, "name": name, "message": message}
    return JSONResponse(body, status_code=status, headers=LIMITS)
