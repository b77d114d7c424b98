"""Passwords as the application stores them."""

from __future__ import annotations

from runbooks.engine.secret import Secret

_READ = 72
"""bcrypt reads so many bytes; the application cuts what is longer."""


def matches(password: Secret, hashed: str) -> bool:
    """Whether this is the password that the hash was made of; a hash that is none matches nothing."""
    import bcrypt

    try:
        return bcrypt.checkpw(password.reveal().encode()[:_READ], hashed.encode())
    except ValueError:
        return False
