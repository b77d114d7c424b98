"""The routes that the checklist uses; an application without one of them can't be verified."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

AUTH = "/api/v1/auth"

ROUTES = (
    "GET /health",
    "GET /health/db",
    "GET /health/providers",
    f"POST {AUTH}/register",
    f"POST {AUTH}/login",
    f"POST {AUTH}/refresh",
    f"POST {AUTH}/change-password",
    f"POST {AUTH}/email/send-verification",
    f"POST {AUTH}/email/verify",
    f"POST {AUTH}/password-reset/request",
    f"POST {AUTH}/password-reset/confirm",
    "GET /api/v1/users/me",
    "DELETE /api/v1/users/me",
    "GET /api/v1/api-keys/",
    "POST /api/v1/api-keys/",
    "GET /api/v1/api-keys/{provider}/test",
    "DELETE /api/v1/api-keys/{provider}",
    "GET /api/v1/languages",
    "POST /chat/converse",
    "GET /search",
    "GET /reader/texts",
    "POST /reader/analyze",
    "GET /vocabulary/search",
)

SWITCHED = {
    "LESSONS_ENABLED": "POST /lesson/generate",
    "COACH_ENABLED": "POST /coach/chat",
    "TTS_ENABLED": "POST /tts/speak",
}
"""Routes that are there only while a variable is true, which is the default."""

BEYOND = ("GET /docs", "GET /redoc", "GET /openapi.json")
"""Pages that FastAPI serves and does not list."""

_METHODS = ("get", "post", "put", "patch", "delete", "head", "options", "trace")


def listed(document: Mapping[str, Any]) -> frozenset[str]:
    """``METHOD /path`` of every operation in an OpenAPI document, parameters as ``{}``."""
    paths = document.get("paths")
    if not isinstance(paths, dict):
        return frozenset()
    return frozenset(
        template(f"{method.upper()} {path}")
        for path, operations in paths.items()
        if isinstance(operations, dict)
        for method in operations
        if method in _METHODS
    )


def template(route: str) -> str:
    """The route whatever its parameters are called; with or without a slash at its end."""
    import re

    return re.sub(r"\{[^}]*\}", "{}", route if route.endswith(" /") else route.rstrip("/"))
