"""The asyncpg engine, and one transaction per request."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.core.config import Settings, settings


def connection_settings(database_url: str) -> tuple[URL, dict[str, Any]]:
    """The URL with the driver that the application uses, and what asyncpg takes as arguments instead."""
    url = make_url(database_url)
    if url.drivername in {"postgres", "postgresql"}:
        url = url.set(drivername="postgresql+asyncpg")
    if url.drivername != "postgresql+asyncpg":
        msg = f"DATABASE_URL uses the driver {url.drivername}; only asyncpg is supported"
        raise RuntimeError(msg)
    arguments: dict[str, Any] = {}
    query = dict(url.query)
    mode = query.pop("sslmode", None)
    if mode == "disable":
        arguments["ssl"] = False
    elif mode in {"require", "verify-ca", "verify-full"}:
        arguments["ssl"] = ssl.create_default_context()
    if "-pooler" in (url.host or ""):
        arguments["statement_cache_size"] = 0
    return url.set(query=query), arguments


def create_engine(settings: Settings) -> AsyncEngine:
    url, arguments = connection_settings(settings.DATABASE_URL)
    return create_async_engine(
        url,
        connect_args=arguments,
        pool_size=settings.DB_POOL_SIZE,
        max_overflow=settings.DB_MAX_OVERFLOW,
        pool_recycle=settings.DB_POOL_RECYCLE,
        pool_timeout=30,
        pool_pre_ping=True,
        hide_parameters=True,
    )


engine = create_engine(settings)


async def transaction() -> AsyncIterator[AsyncConnection]:
    async with engine.begin() as connection:
        yield connection


# scope="function": committed before the answer is sent, so a client never reads behind its own write.
Database = Annotated[AsyncConnection, Depends(transaction, scope="function")]
