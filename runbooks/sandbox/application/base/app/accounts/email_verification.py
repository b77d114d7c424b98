"""Proof that an e-mail address is read by its user."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, BackgroundTasks, HTTPException
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.current import CurrentUser
from app.accounts.schemas import EmailVerificationResponse, VerifyEmailRequest
from app.core.config import settings
from app.db.accounts import email_verification_token, user
from app.db.engine import Database
from app.mail import Mail, send_mail

router = APIRouter(prefix="/api/v1/auth/email", tags=["Email Verification"])

VALID_FOR = timedelta(hours=24)


async def verification_mail(connection: AsyncConnection, user_id: int, email: str) -> Mail:
    """Replace the user's open tokens by a new one, and the mail that carries it."""
    table = email_verification_token
    token = secrets.token_urlsafe(48)
    await connection.execute(delete(table).where(table.c.user_id == user_id, table.c.used_at.is_(None)))
    values = {"user_id": user_id, "token": token, "email": email, "expires_at": datetime.now(UTC) + VALID_FOR}
    await connection.execute(insert(table).values(values))
    link = f"{settings.FRONTEND_URL.rstrip('/')}/verify-email?token={token}"
    return Mail(email, "Verify your email address", f"Open this link to verify your address:\n\n{link}\n")


@router.post("/send-verification")
async def send_verification_email(
    current: CurrentUser, connection: Database, background: BackgroundTasks
) -> EmailVerificationResponse:
    if current.is_email_verified:
        raise HTTPException(400, "Email already verified")
    background.add_task(send_mail, await verification_mail(connection, current.id, current.email))
    return EmailVerificationResponse(message="Verification email sent", email=current.email)


@router.post("/verify")
async def verify_email(request: VerifyEmailRequest, connection: Database) -> dict[str, str]:
    table = email_verification_token
    usable = select(table).where(
        table.c.token == request.token, table.c.used_at.is_(None), table.c.expires_at > func.now()
    )
    found = (await connection.execute(usable.with_for_update())).first()
    if found is None:
        raise HTTPException(400, "Invalid or expired verification token")
    owner = update(user).where(user.c.id == found.user_id, user.c.email == found.email)
    await connection.execute(owner.values(is_email_verified=True, updated_at=func.now()))
    await connection.execute(update(table).where(table.c.id == found.id).values(used_at=func.now()))
    return {"message": "Email verified successfully"}


@router.get("/status")
async def get_verification_status(current: CurrentUser) -> dict[str, bool]:
    return {"is_verified": current.is_email_verified}
