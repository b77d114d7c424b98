"""Users' own API keys are stored as Fernet tokens under one key."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken

from app.core.config import settings

# Known to everybody, so that a developer's database survives a restart; refused outside development.
_DEVELOPMENT_KEY = base64.urlsafe_b64encode(b"development-only-key".ljust(32, b"."))


class DecryptionError(Exception):
    """A stored value was not written with this ENCRYPTION_KEY."""


def _load() -> Fernet:
    key = settings.ENCRYPTION_KEY
    if not key:
        if not settings.is_development:
            msg = "ENCRYPTION_KEY is required outside development"
            raise RuntimeError(msg)
        return Fernet(_DEVELOPMENT_KEY)
    try:
        return Fernet(key)
    except ValueError:
        msg = "Invalid ENCRYPTION_KEY format: expected 32 url-safe base64-encoded bytes"
        raise RuntimeError(msg) from None


_fernet = _load()


def encrypt(plain: str) -> str:
    return _fernet.encrypt(plain.encode()).decode()


def decrypt(token: str) -> str:
    try:
        return _fernet.decrypt(token.encode()).decode()
    except InvalidToken as error:
        raise DecryptionError from error
