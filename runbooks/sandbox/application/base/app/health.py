"""Is it alive: the process, its database, its vendors."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from fastapi import APIRouter, HTTPException
from sqlalchemy import func, select, text

from app.core.config import settings
from app.db.content import language
from app.db.engine import engine
from app.vendors.registry import VENDORS, server_key

log = logging.getLogger("app.health")
router = APIRouter()

EXTENSIONS = ("vector", "pg_trgm")
SEEDED_LANGUAGES = ("grc-cls", "lat")


@router.get("/", include_in_schema=True)
async def read_root() -> dict[str, str]:
    return {"message": f"Welcome to {settings.PROJECT_NAME}"}


@router.get("/health", tags=["Health"])
async def health_check() -> dict[str, Any]:
    return {
        "status": "ok",
        "project": settings.PROJECT_NAME,
        "features": {"lessons": settings.LESSONS_ENABLED, "tts": settings.TTS_ENABLED},
    }


@router.get("/health/db", tags=["Health"])
async def health_check_db() -> dict[str, Any]:
    try:
        async with engine.connect() as connection:
            installed = set(await connection.scalars(text("SELECT extname FROM pg_extension")))
            found = await connection.scalar(
                select(func.count()).select_from(language).where(language.c.code.in_(SEEDED_LANGUAGES))
            )
    except Exception as error:  # noqa: BLE001  # drivers raise their own
        log.error("database check failed: %s", (str(error).splitlines() or [type(error).__name__])[0])
        raise HTTPException(503, "Database connection or check failed.") from None
    extensions = {name: name in installed for name in EXTENSIONS}
    seeded = found == len(SEEDED_LANGUAGES)
    good = seeded and all(extensions.values())
    return {"status": "ok" if good else "degraded", "extensions": extensions, "seed_data": seeded}


@router.get("/health/providers", tags=["Health"])
async def health_providers() -> dict[str, Any]:
    """Ask each configured vendor for its models: that costs nothing and proves the key."""
    names = sorted(VENDORS)
    results = await asyncio.gather(*(_vendor(name) for name in names))
    return {**dict(zip(names, results, strict=True)), "timestamp": int(time.time())}


async def _vendor(name: str) -> dict[str, Any]:
    key = server_key(name)
    if not key:
        return {"ok": False, "status": None, "error": "API key not configured"}
    status, error = await VENDORS[name].ask_for_models(key)
    return {"ok": error is None, "status": status, "error": error}
