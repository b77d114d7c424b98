"""Grammar topics, found by the likeness of their words."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.content import grammar_topic, source_doc
from app.library.folding import fold


@dataclass(frozen=True)
class GrammarHit:
    id: int
    anchor: str
    title: str
    body: str
    source: str
    score: float


async def find_grammar(
    connection: AsyncConnection, query: str, *, limit: int, threshold: float
) -> list[GrammarHit]:
    score = func.word_similarity(fold(query), grammar_topic.c.body_fold)
    statement = (
        select(
            grammar_topic.c.id,
            grammar_topic.c.anchor,
            grammar_topic.c.title,
            grammar_topic.c.body,
            source_doc.c.slug.label("source"),
            score.label("score"),
        )
        .join(source_doc, source_doc.c.id == grammar_topic.c.source_id)
        .where(score >= max(threshold, 0.3))
        .order_by(score.desc(), grammar_topic.c.id)
        .limit(limit)
    )
    return [GrammarHit(**row) for row in (await connection.execute(statement)).mappings()]
