"""Words and their meaning."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from sqlalchemy import or_, select

from app.db.content import generated_vocabulary
from app.db.engine import Database
from app.library.folding import fold

router = APIRouter(prefix="/vocabulary", tags=["Vocabulary"])


class VocabularyItem(BaseModel):
    text: str
    translation: str
    language_code: str


class VocabularySearchResponse(BaseModel):
    items: list[VocabularyItem]
    total: int
    query: str
    language_code: str | None


@router.get("/search")
async def search_vocabulary(
    connection: Database,
    q: Annotated[str, Query(min_length=1)],
    language_code: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> VocabularySearchResponse:
    table = generated_vocabulary
    translation = table.c.vocabulary_data["translation"].astext
    statement = (
        select(table.c.word.label("text"), translation.label("translation"), table.c.language_code)
        .where(
            or_(
                table.c.word_normalized.startswith(fold(q), autoescape=True),
                translation.icontains(q, autoescape=True),
            )
        )
        .order_by(table.c.word_normalized != fold(q), table.c.word_normalized)
        .limit(limit)
    )
    if language_code:
        statement = statement.where(table.c.language_code == language_code)
    items = [VocabularyItem(**row) for row in (await connection.execute(statement)).mappings()]
    return VocabularySearchResponse(items=items, total=len(items), query=q, language_code=language_code)
