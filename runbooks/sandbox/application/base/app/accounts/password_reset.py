"""Reset of a forgotten password by a mailed token: one use, 15 minutes."""

from __future__ import annotations

import logging
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, BackgroundTasks, HTTPException
from sqlalchemy import Select, delete, func, insert, select, update

from app.accounts import users
from app.accounts.passwords import hash_password
from app.accounts.schemas import PasswordResetConfirm, PasswordResetRequest, PasswordResetResponse
from app.core.config import settings
from app.db.accounts import password_reset_token
from app.db.engine import Database
from app.mail import Mail, send_mail

log = logging.getLogger("app.password_reset")
router = APIRouter(prefix="/api/v1/auth/password-reset", tags=["Password Reset"])

VALID_FOR = timedelta(minutes=15)
SAME_FOR_ALL = "If the email exists, a password reset link has been sent."


def _usable(token: str) -> Select[Any]:
    table = password_reset_token
    return select(table).where(
        table.c.token == token, table.c.used_at.is_(None), table.c.expires_at > func.now()
    )


@router.post("/request")
async def request_password_reset(
    request: PasswordResetRequest, connection: Database, background: BackgroundTasks
) -> PasswordResetResponse:
    table = password_reset_token
    found = await users.find_by_login(connection, request.email)
    if found is not None and found.is_active:
        token = secrets.token_urlsafe(48)
        await connection.execute(delete(table).where(table.c.user_id == found.id, table.c.used_at.is_(None)))
        values = {"user_id": found.id, "token": token, "expires_at": datetime.now(UTC) + VALID_FOR}
        await connection.execute(insert(table).values(values))
        link = f"{settings.FRONTEND_URL.rstrip('/')}/reset-password?token={token}"
        text = f"Open this link within 15 minutes to choose a new password:\n\n{link}\n"
        background.add_task(send_mail, Mail(found.email, "Reset your password", text))
    return PasswordResetResponse(message=SAME_FOR_ALL, email=request.email)


@router.get("/validate-token/{token}")
async def validate_reset_token(token: str, connection: Database) -> dict[str, bool]:
    return {"valid": (await connection.execute(_usable(token))).first() is not None}


@router.post("/confirm")
async def confirm_password_reset(request: PasswordResetConfirm, connection: Database) -> dict[str, str]:
    table = password_reset_token
    found = (await connection.execute(_usable(request.token).with_for_update())).first()
    if found is None:
        raise HTTPException(400, "Invalid or expired reset token")
    await users.set_password(connection, found.user_id, await hash_password(request.new_password))
    await connection.execute(update(table).where(table.c.id == found.id).values(used_at=func.now()))
    log.info("password reset user_id=%d", found.user_id)
    return {"message": "Password has been reset successfully"}
