"""The vendors by name, and which key a request is made with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlalchemy import Row, select

from app.accounts.current import Credentials, user_of
from app.core.config import settings
from app.core.encryption import DecryptionError, decrypt
from app.db.accounts import user_api_config
from app.db.engine import Database
from app.vendors import anthropic, google, openai
from app.vendors.http import VendorError
from app.vendors.prompt import Completion, Prompt


@dataclass(frozen=True)
class Vendor:
    ask_for_models: Callable[[str], Awaitable[tuple[int | None, str | None]]]
    complete: Callable[[str, str, Prompt], Awaitable[Completion]]
    default_model: str


VENDORS = {
    "anthropic": Vendor(
        anthropic.ask_for_models, anthropic.complete, settings.LESSONS_ANTHROPIC_DEFAULT_MODEL
    ),
    "google": Vendor(google.ask_for_models, google.complete, settings.LESSONS_GOOGLE_DEFAULT_MODEL),
    "openai": Vendor(openai.ask_for_models, openai.complete, settings.LESSONS_OPENAI_DEFAULT_MODEL),
}


def server_key(vendor: str) -> str | None:
    keys = {
        "anthropic": settings.ANTHROPIC_API_KEY,
        "google": settings.GOOGLE_API_KEY,
        "openai": settings.OPENAI_API_KEY,
    }
    return keys[vendor]


class Keys:
    """The keys open to one request: sent along, saved by its user, the server's; in this order."""

    def __init__(self, connection: Any, user: Row[Any] | None, sent: str | None) -> None:
        self._connection = connection
        self._user = user
        self._sent = sent

    async def for_vendor(self, vendor: str) -> str:
        key = self._sent or await self._saved(vendor) or server_key(vendor)
        if not key:
            raise VendorError(f"{vendor}_no_key")
        return key

    async def _saved(self, vendor: str) -> str | None:
        if self._user is None or not settings.BYOK_ENABLED:
            return None
        table = user_api_config
        mine = (table.c.user_id == self._user.id) & (table.c.provider == vendor)
        stored = await self._connection.scalar(select(table.c.encrypted_api_key).where(mine))
        if stored is None:
            return None
        try:
            return decrypt(stored)
        except DecryptionError:
            raise VendorError(f"{vendor}_key_unreadable") from None


async def request_keys(request: Request, credentials: Credentials, connection: Database) -> Keys:
    """A bearer value is the user's token, never a vendor's key: it must not leave this process."""
    user = await user_of(credentials.credentials, connection) if credentials else None
    allowed = settings.BYOK_ENABLED and "x-model-key" in {
        name.lower() for name in settings.BYOK_ALLOWED_HEADERS
    }
    return Keys(connection, user, request.headers.get("X-Model-Key") if allowed else None)


RequestKeys = Annotated[Keys, Depends(request_keys)]
