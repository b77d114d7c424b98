"""The form of OpenAI's errors."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from starlette.responses import JSONResponse, Response

from runbooks.sandbox.provider.state import Behaviour

FAILURES = {
    429: ("rate_limit_exceeded", "requests", "Rate limit reached for requests"),
    500: (None, "server_error", "The server had an error while processing your request."),
    503: (None, "server_error", "The engine is currently overloaded, please try again later."),
}
NOTHING: Mapping[str, str] = {}


def request_id() -> dict[str, str]:
    return {"x-request-id": f"req_{secrets.token_hex(16)}"}


def error(status: int, code: str | None, kind: str, message: str, headers: Mapping[str, str] = NOTHING) -> Response:
    body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return JSONResponse(body, status_code=status, headers={**request_id(), **headers})


def failure(told: Behaviour) -> Response:
    """The error that a test asks for."""
    status = told.status or 500
    code, kind, message = FAILURES.get(status, (None, "invalid_request_error", f"Status {status}."))
    return error(status, told.code or code, told.code or kind, message, told.headers or NOTHING)
