"""The languages on offer and how much there is to read in each."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from sqlalchemy import func, select

from app.db.content import language, text_segment, text_work
from app.db.engine import Database

router = APIRouter(prefix="/api/v1/languages", tags=["Languages"])


@router.get("")
async def list_languages(connection: Database) -> list[dict[str, Any]]:
    works = func.count(text_work.c.id.distinct()).label("work_count")
    segments = func.count(text_segment.c.id.distinct()).label("segment_count")
    statement = (
        select(language.c.code, language.c.name, works, segments)
        .outerjoin(text_work, text_work.c.language_id == language.c.id)
        .outerjoin(text_segment, text_segment.c.work_id == text_work.c.id)
        .group_by(language.c.code, language.c.name)
        .order_by(language.c.code)
    )
    return [dict(row) for row in (await connection.execute(statement)).mappings()]
