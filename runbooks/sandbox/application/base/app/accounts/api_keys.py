"""Users' own API keys (BYOK), encrypted at rest and never returned."""

from __future__ import annotations

import logging
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert

from app.accounts.current import CurrentUser
from app.accounts.schemas import UserAPIKeyCreate, UserAPIKeyResponse
from app.core.encryption import DecryptionError, decrypt, encrypt
from app.db.accounts import user_api_config
from app.db.engine import Database

log = logging.getLogger("app.api_keys")
router = APIRouter(prefix="/api/v1/api-keys", tags=["API Keys"])

PROVIDER = "^(openai|anthropic|google|elevenlabs)$"
Provider = Annotated[str, Path(min_length=1, max_length=50, pattern=PROVIDER)]
PUBLIC = (user_api_config.c.provider, user_api_config.c.created_at, user_api_config.c.updated_at)


@router.get("/")
async def list_api_keys(user: CurrentUser, connection: Database) -> list[UserAPIKeyResponse]:
    mine = select(*PUBLIC).where(user_api_config.c.user_id == user.id).order_by(user_api_config.c.provider)
    return [UserAPIKeyResponse(**row) for row in (await connection.execute(mine)).mappings()]


@router.post("/", status_code=201)
async def create_or_update_api_key(
    request: UserAPIKeyCreate, user: CurrentUser, connection: Database
) -> UserAPIKeyResponse:
    stored = encrypt(request.api_key)
    statement = insert(user_api_config).values(
        user_id=user.id, provider=request.provider, encrypted_api_key=stored
    )
    statement = statement.on_conflict_do_update(
        constraint="uq_user_provider",
        set_={"encrypted_api_key": stored, "updated_at": func.now()},
    )
    row = (await connection.execute(statement.returning(*PUBLIC))).mappings().one()
    log.info("key saved user_id=%d provider=%s", user.id, request.provider)
    return UserAPIKeyResponse(**row)


@router.get("/{provider}/test")
async def test_api_key(provider: Provider, user: CurrentUser, connection: Database) -> dict[str, Any]:
    """Whether the stored key can still be decrypted. The vendor is not asked."""
    table = user_api_config
    mine = select(table.c.encrypted_api_key).where(table.c.user_id == user.id, table.c.provider == provider)
    stored = await connection.scalar(mine)
    if stored is None:
        raise HTTPException(404, f"No API key configured for provider: {provider}")
    try:
        key = decrypt(stored)
    except DecryptionError:
        log.error("stored key can't be decrypted user_id=%d provider=%s", user.id, provider)
        raise HTTPException(500, "Failed to decrypt API key") from None
    return {"provider": provider, "configured": True, "masked_key": _masked(key), "length": len(key)}


@router.delete("/{provider}", status_code=204)
async def delete_api_key(provider: Provider, user: CurrentUser, connection: Database) -> None:
    table = user_api_config
    statement = delete(table).where(table.c.user_id == user.id, table.c.provider == provider)
    if (await connection.execute(statement)).rowcount == 0:
        raise HTTPException(404, f"No API key configured for provider: {provider}")
    log.info("key deleted user_id=%d provider=%s", user.id, provider)


def _masked(key: str) -> str:
    return f"{key[:4]}…{key[-4:]}" if len(key) >= 16 else "…"
