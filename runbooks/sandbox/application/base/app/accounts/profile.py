"""The user's own profile: read, change, take away, erase."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter

from app.accounts import personal_data, users
from app.accounts.current import CurrentUser
from app.accounts.schemas import UserProfilePublic, UserProfileUpdate
from app.db.engine import Database

log = logging.getLogger("app.profile")
router = APIRouter(prefix="/api/v1/users", tags=["Users"])


@router.get("/me")
async def get_current_user_profile(user: CurrentUser, connection: Database) -> UserProfilePublic:
    return await users.public_profile(connection, user.id)


@router.patch("/me")
async def update_current_user_profile(
    update: UserProfileUpdate, user: CurrentUser, connection: Database
) -> UserProfilePublic:
    changes = update.model_dump(exclude_unset=True)
    if changes.get("profile_visibility", "") is None:
        del changes["profile_visibility"]
    if changes:
        await users.update_profile(connection, user.id, changes)
    return await users.public_profile(connection, user.id)


@router.get("/me/export")
async def export_current_user(user: CurrentUser, connection: Database) -> dict[str, Any]:
    """Everything stored about the user, table by table; keys and password hashes are left out."""
    data = await personal_data.export(connection, user.id)
    return {"exported_at": datetime.now(UTC), "user_id": user.id, "data": data}


@router.delete("/me", status_code=204)
async def delete_current_user(user: CurrentUser, connection: Database) -> None:
    rows = await personal_data.erase(connection, user.id)
    log.info("user erased user_id=%d rows=%d", user.id, rows)
