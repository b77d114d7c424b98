"""Words and lines of one language, read from the database for a lesson."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.content import generated_vocabulary, language, text_segment, text_work
from app.learning.lesson_models import LessonMaterial, MatchPair

WORDS = 12
LINES = 4


async def lesson_material(connection: AsyncConnection, code: str) -> LessonMaterial:
    """An arbitrary choice for each call; empty lists when the language has no content."""
    vocabulary = generated_vocabulary
    words = await connection.execute(
        select(vocabulary.c.word, vocabulary.c.vocabulary_data["translation"].astext)
        .where(vocabulary.c.language_code == code)
        .order_by(func.random())
        .limit(WORDS)
    )
    lines = await connection.execute(
        select(text_segment.c.ref, text_segment.c.text_nfc)
        .join(text_work, text_work.c.id == text_segment.c.work_id)
        .join(language, language.c.id == text_work.c.language_id)
        .where(language.c.code == code)
        .order_by(func.random())
        .limit(LINES)
    )
    return LessonMaterial(
        words=[MatchPair(native=word, en=meaning) for word, meaning in words],
        lines=[{"ref": ref, "text": text} for ref, text in lines],
    )
