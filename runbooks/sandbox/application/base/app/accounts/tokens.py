"""Access and refresh tokens: HS256, five claims."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from app.core.config import settings

ACCESS = "access"
REFRESH = "refresh"


def issue(user_id: int, token_type: str) -> str:
    minutes = {
        ACCESS: settings.ACCESS_TOKEN_EXPIRE_MINUTES,
        REFRESH: settings.REFRESH_TOKEN_EXPIRE_MINUTES,
    }[token_type]
    now = datetime.now(UTC)
    claims = {
        "sub": str(user_id),
        "exp": now + timedelta(minutes=minutes),
        "iat": now,
        "token_type": token_type,
        "jti": secrets.token_urlsafe(32),
    }
    return jwt.encode(claims, settings.JWT_SECRET_KEY, algorithm=settings.JWT_ALGORITHM)


def issue_pair(user_id: int) -> dict[str, str]:
    return {
        "access_token": issue(user_id, ACCESS),
        "refresh_token": issue(user_id, REFRESH),
        "token_type": "bearer",
    }


def read(token: str) -> dict[str, Any]:
    """The claims of a valid token.

    Raises:
        jwt.InvalidTokenError: malformed, forged or expired.
    """
    claims: dict[str, Any] = jwt.decode(
        token,
        settings.JWT_SECRET_KEY,
        algorithms=[settings.JWT_ALGORITHM],
        options={"require": ["sub", "exp", "jti", "token_type"]},
    )
    if not str(claims["sub"]).isdecimal():
        msg = "subject is not a user id"
        raise jwt.InvalidTokenError(msg)
    return claims
