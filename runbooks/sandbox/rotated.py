"""Values that were changed in an environment's variables by somebody else than the sandbox: a rotation.

The sandbox writes that file anew whenever something changes; a value that is not the one it had written is kept from
then on. The first line tells what it had written, by hashes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from urllib.parse import urlsplit

from runbooks.sandbox.files import write_private
from runbooks.sandbox.layout import Layout
from runbooks.systems.secrets.dotenv import parse

KEPT = {
    "JWT_SECRET_KEY": "jwt-key",
    "ENCRYPTION_KEY": "encryption-key",
    "DATABASE_URL": "database-password",
    "REDIS_URL": "redis-password",
    "OPENAI_API_KEY": "openai-key",
    "ANTHROPIC_API_KEY": "anthropic-key",
    "GOOGLE_API_KEY": "google-key",
    "RESEND_API_KEY": "resend-key",
}
"""What can be rotated, and the file in the environment's folder that its value is kept in."""

LOGIN = "database-login"
"""The file that another role than the database's owner is kept in, where roles take turns."""

HEAD = "# written by the sandbox: "


def told(variables: Mapping[str, str]) -> str:
    """The first line of the file that these are written to."""
    return HEAD + json.dumps({name: _hash(variables[name]) for name in KEPT if name in variables}) + "\n"


def adopt(layout: Layout, name: str) -> None:
    """Keep what was rotated since the file was written."""
    path = layout.variables(name)
    head, _, text = path.read_text().partition("\n") if path.exists() else ("", "", "")
    if not head.startswith(HEAD):
        return
    written = json.loads(head.removeprefix(HEAD))
    for key, secret in parse(text, str(path)).items():
        value = secret.reveal()
        if key in written and written[key] != _hash(value):
            if key == "DATABASE_URL" and (login := other_login(value)):
                write_private(layout.environment(name) / LOGIN, login)
                continue
            kept = urlsplit(value).password if key in ("DATABASE_URL", "REDIS_URL") else value
            if kept:
                write_private(layout.environment(name) / KEPT[key], kept)
            if key == "DATABASE_URL":
                (layout.environment(name) / LOGIN).unlink(missing_ok=True)


def other_login(url: str) -> str:
    """``USER:PASSWORD`` of a database URL as which another role than the database's owner logs in; else empty."""
    parts = urlsplit(url)
    return f"{parts.username}:{parts.password}" if parts.username != parts.path.removeprefix("/") else ""


def _hash(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()[:16]
