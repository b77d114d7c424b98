"""A failure on purpose that costs nothing: a provider is asked with a key that it refuses."""

from __future__ import annotations

import secrets

from runbooks.checks.journey import within_limits
from runbooks.checks.subject import Subject
from runbooks.engine.secret import Secret
from runbooks.systems.http.client import Answer

PROVIDER = "openai"
CHAT = "/chat/converse"
NO_MODEL = "runbooks-no-such-model"
"""Were the application to use its own key all the same, the provider would still refuse, at no cost."""


def chat_with(subject: Subject, key: Secret) -> Answer:
    """Ask for a conversation with this key in the header for users' own; without an account, so CSRF by hand."""
    csrf = secrets.token_urlsafe(16)
    headers = {"X-Model-Key": key.reveal(), "X-CSRF-Token": csrf, "Cookie": f"csrf_token={csrf}"}
    body = {"message": "salve", "provider": PROVIDER, "model": NO_MODEL}
    return within_limits(subject.site.application.request("POST", CHAT, json=body, headers=headers))
