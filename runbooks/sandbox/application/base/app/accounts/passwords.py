"""What a password must be, and how it is stored."""

from __future__ import annotations

import asyncio
import re

import bcrypt

REQUIRED = (
    (r"[A-Z]", "an uppercase letter"),
    (r"[a-z]", "a lowercase letter"),
    (r"\d", "a digit"),
    (r"[^A-Za-z0-9]", "a special character"),
)
FOUR_EQUAL = re.compile(r"(.)\1{3}")

# Compared when the user is unknown, so that both answers take the same time.
NOBODYS_HASH = bcrypt.hashpw(b"nobody", bcrypt.gensalt(4)).decode().replace("$04$", "$12$", 1)


def check_strength(password: str, username: str | None = None) -> str:
    """Return the password, or raise ValueError saying what it lacks."""
    missing = [label for pattern, label in REQUIRED if not re.search(pattern, password)]
    if missing:
        msg = f"Password must contain {', '.join(missing)}"
        raise ValueError(msg)
    if FOUR_EQUAL.search(password):
        msg = "Password must not repeat a character four times in a row"
        raise ValueError(msg)
    if username and username.lower() in password.lower():
        msg = "Password must not contain the username"
        raise ValueError(msg)
    return password


def _bytes(password: str) -> bytes:
    # bcrypt reads 72 bytes and refuses more.
    return password.encode()[:72]


async def hash_password(password: str) -> str:
    return (await asyncio.to_thread(bcrypt.hashpw, _bytes(password), bcrypt.gensalt(12))).decode()


async def matches(password: str, hashed: str) -> bool:
    return await asyncio.to_thread(bcrypt.checkpw, _bytes(password), hashed.encode())
