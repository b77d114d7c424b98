"""Who is asking: the user behind the bearer token."""

from __future__ import annotations

from typing import Annotated, Any

import jwt
from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import Row, exists, select

from app.accounts import tokens
from app.db.accounts import revoked_token, user
from app.db.engine import Database

_bearer = HTTPBearer(auto_error=False)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def unauthorised(detail: str) -> HTTPException:
    return HTTPException(401, detail, headers={"WWW-Authenticate": "Bearer"})


async def user_of(token: str, connection: Database) -> Row[Any]:
    try:
        claims = tokens.read(token)
    except jwt.InvalidTokenError:
        raise unauthorised("Could not validate credentials") from None
    if claims["token_type"] != tokens.ACCESS:
        raise unauthorised("Invalid token type")
    if await connection.scalar(select(exists().where(revoked_token.c.jti == claims["jti"]))):
        raise unauthorised("Token has been revoked")
    found = (await connection.execute(select(user).where(user.c.id == int(claims["sub"])))).first()
    if found is None:
        raise unauthorised("Could not validate credentials")
    if not found.is_active:
        raise HTTPException(403, "Inactive user")
    return found


async def current_user(credentials: Credentials, connection: Database) -> Row[Any]:
    if credentials is None:
        raise unauthorised("Could not validate credentials")
    return await user_of(credentials.credentials, connection)


CurrentUser = Annotated[Row[Any], Depends(current_user)]
