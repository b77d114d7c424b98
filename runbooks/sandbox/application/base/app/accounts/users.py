"""Creating and reading a user together with its profile."""

from __future__ import annotations

from typing import Any

from sqlalchemy import exists, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounts.schemas import UserProfilePublic
from app.db.accounts import revoked_token, user, user_preferences, user_profile
from app.db.progress import user_progress


async def find_by_login(connection: AsyncConnection, name: str) -> Any:
    """The user with this username or e-mail address, or None."""
    matches = or_(user.c.username == name, func.lower(user.c.email) == name.lower())
    return (await connection.execute(select(user).where(matches))).first()


async def email_taken(connection: AsyncConnection, email: str) -> bool:
    found = await connection.scalar(select(user.c.id).where(func.lower(user.c.email) == email.lower()))
    return found is not None


async def username_taken(connection: AsyncConnection, username: str) -> bool:
    return await connection.scalar(select(user.c.id).where(user.c.username == username)) is not None


async def create(connection: AsyncConnection, username: str, email: str, hashed_password: str) -> int:
    values = {"username": username, "email": email, "hashed_password": hashed_password}
    user_id = int(await connection.scalar(insert(user).values(values).returning(user.c.id)))
    for table in (user_profile, user_preferences, user_progress):
        await connection.execute(insert(table).values(user_id=user_id))
    return user_id


async def may_refresh(connection: AsyncConnection, user_id: int, jti: str) -> bool:
    """Whether the user still exists, is active, and this refresh token was not revoked."""
    revoked = exists().where(revoked_token.c.jti == jti)
    active = select(user.c.id).where(user.c.id == user_id, user.c.is_active, ~revoked)
    return await connection.scalar(active) is not None


async def public_profile(connection: AsyncConnection, user_id: int) -> UserProfilePublic:
    account = (await connection.execute(select(user).where(user.c.id == user_id))).one()
    # Every column: a profile that this release can't read whole is not served in part.
    profile = (
        await connection.execute(select(user_profile).where(user_profile.c.user_id == user_id))
    ).first()
    described = dict(profile._mapping) if profile else {}
    return UserProfilePublic.model_validate({**described, **account._mapping})


async def update_profile(connection: AsyncConnection, user_id: int, changes: dict[str, Any]) -> None:
    statement = update(user_profile).where(user_profile.c.user_id == user_id)
    await connection.execute(statement.values(**changes, updated_at=func.now()))


async def set_password(connection: AsyncConnection, user_id: int, hashed_password: str) -> None:
    statement = update(user).where(user.c.id == user_id)
    await connection.execute(statement.values(hashed_password=hashed_password, updated_at=func.now()))
