"""Registration, login, refresh, logout and change of password."""

from __future__ import annotations

import logging

import jwt
from fastapi import APIRouter, BackgroundTasks, HTTPException
from sqlalchemy.exc import IntegrityError

from app.accounts import tokens, users
from app.accounts.current import CurrentUser, unauthorised
from app.accounts.email_verification import verification_mail
from app.accounts.passwords import NOBODYS_HASH, hash_password, matches
from app.accounts.schemas import (
    PasswordChangeRequest,
    TokenRefreshRequest,
    TokenResponse,
    UserLoginRequest,
    UserProfilePublic,
    UserRegisterRequest,
)
from app.db.engine import Database
from app.mail import send_mail

log = logging.getLogger("app.sessions")
router = APIRouter(prefix="/api/v1/auth", tags=["Authentication"])


@router.post("/register", status_code=201)
async def register(
    request: UserRegisterRequest, connection: Database, background: BackgroundTasks
) -> UserProfilePublic:
    if await users.username_taken(connection, request.username):
        raise HTTPException(400, "Username already registered")
    if await users.email_taken(connection, request.email):
        raise HTTPException(400, "Email already registered")
    hashed = await hash_password(request.password)
    try:
        user_id = await users.create(connection, request.username, request.email, hashed)
    except IntegrityError:
        raise HTTPException(400, "Username or email already registered") from None
    background.add_task(send_mail, await verification_mail(connection, user_id, request.email))
    log.info("user registered user_id=%d", user_id)
    return await users.public_profile(connection, user_id)


@router.post("/login")
async def login(request: UserLoginRequest, connection: Database) -> TokenResponse:
    found = await users.find_by_login(connection, request.username_or_email)
    known = await matches(request.password, found.hashed_password if found else NOBODYS_HASH)
    if not found or not known:
        raise unauthorised("Incorrect username/email or password")
    if not found.is_active:
        raise HTTPException(403, "Inactive user")
    log.info("user logged in user_id=%d", found.id)
    return TokenResponse(**tokens.issue_pair(found.id))


@router.post("/refresh")
async def refresh_token(request: TokenRefreshRequest, connection: Database) -> TokenResponse:
    try:
        claims = tokens.read(request.refresh_token)
    except jwt.InvalidTokenError:
        raise unauthorised("Invalid refresh token") from None
    if claims["token_type"] != tokens.REFRESH:
        raise unauthorised("Invalid token type")
    if not await users.may_refresh(connection, int(claims["sub"]), claims["jti"]):
        raise unauthorised("Invalid refresh token")
    return TokenResponse(**tokens.issue_pair(int(claims["sub"])))


@router.post("/logout")
async def logout() -> dict[str, str]:
    """The client forgets its tokens; they stay valid until they expire."""
    return {"message": "Successfully logged out"}


@router.post("/change-password")
async def change_password(
    request: PasswordChangeRequest, user: CurrentUser, connection: Database
) -> dict[str, str]:
    if not await matches(request.old_password, user.hashed_password):
        raise unauthorised("Incorrect password")
    await users.set_password(connection, user.id, await hash_password(request.new_password))
    return {"message": "Password changed successfully"}
