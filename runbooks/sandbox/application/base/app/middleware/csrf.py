"""Double-submit cookie: a write without a bearer token repeats the cookie's value in a header."""

from __future__ import annotations

import secrets

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "csrf_token"
HEADER = "X-CSRF-Token"
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
EXEMPT = frozenset(
    {
        "/api/v1/auth/login",
        "/api/v1/auth/register",
        "/api/v1/auth/refresh",
        "/api/v1/support/bug-report",
        "/lesson/generate",
        "/reader/analyze",
        "/health",
        "/health/providers",
        "/docs",
        "/docs/oauth2-redirect",
        "/openapi.json",
        "/redoc",
    }
)
MISSING = "CSRF token missing. Include X-CSRF-Token header matching csrf_token cookie."
MISMATCH = "CSRF token mismatch. Token in header does not match cookie."


class CsrfProtection:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        if request.headers.get("Authorization", "").startswith("Bearer "):
            await self.app(scope, receive, send)
        elif request.method not in WRITES:
            await self.app(scope, receive, send if COOKIE in request.cookies else _handing_out(send))
        elif refusal := _refusal(request):
            await refusal(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _refusal(request: Request) -> Response | None:
    if request.url.path in EXEMPT:
        return None
    cookie, header = request.cookies.get(COOKIE), request.headers.get(HEADER)
    if not cookie or not header:
        return JSONResponse({"detail": MISSING}, status_code=403)
    if not secrets.compare_digest(cookie.encode(), header.encode()):
        return JSONResponse({"detail": MISMATCH}, status_code=403)
    return None


def _handing_out(send: Send) -> Send:
    async def send_with_cookie(message: Message) -> None:
        if message["type"] == "http.response.start":
            value = secrets.token_urlsafe(32)
            headers = MutableHeaders(scope=message)
            headers.append("Set-Cookie", f"{COOKIE}={value}; Max-Age=86400; Path=/; SameSite=strict; Secure")
            headers[HEADER] = value
        await send(message)

    return send_with_cookie
