"""JSON web tokens as an attacker, or a clock, would change them (HS256 as in RFC 7515)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from runbooks.engine.errors import Reason, SystemFault


def claims(token: str) -> dict[str, Any]:
    """The claims of a token, without looking at its signature.

    Raises:
        SystemFault: it is not a JSON web token.
    """
    try:
        body = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        if isinstance(found, dict):
            return found
    except (IndexError, ValueError) as error:
        raise _no_token() from error
    raise _no_token()


def signed(content: Mapping[str, Any], key: str, algorithm: str = "HS256") -> str:
    """A token with these claims; with the algorithm ``none`` it carries no signature."""
    head = _encode(json.dumps({"alg": algorithm, "typ": "JWT"}).encode())
    message = f"{head}.{_encode(json.dumps(content).encode())}"
    if algorithm == "none":
        return f"{message}."
    digest = hmac.new(key.encode(), message.encode(), hashlib.sha256).digest()
    return f"{message}.{_encode(digest)}"


def _no_token() -> SystemFault:
    return SystemFault("the access token is not a JSON web token", reason=Reason.BAD_ANSWER)


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
