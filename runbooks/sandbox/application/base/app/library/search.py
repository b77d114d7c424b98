"""Search across the dictionary, the grammar and the texts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel
from sqlalchemy import ColumnElement, case, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import content
from app.db.content import lexeme, text_segment, text_work
from app.db.engine import Database
from app.library.folding import fold
from app.library.grammar import find_grammar

router = APIRouter(prefix="/search", tags=["Search"])

TYPES = {"lexicon", "grammar", "text"}
Language = Annotated[str | None, Query(min_length=2, max_length=8)]


class LexiconResult(BaseModel):
    id: int
    lemma: str
    language: str
    part_of_speech: str | None = None
    short_definition: str | None = None
    full_definition: str | None = None
    forms: list[str] = []
    relevance_score: float


class GrammarResult(BaseModel):
    id: int
    title: str
    category: str
    language: str
    summary: str | None = None
    content: str | None = None
    tags: list[str] = []
    relevance_score: float


class TextResult(BaseModel):
    id: int
    work_id: int
    work_title: str
    author: str
    passage: str
    translation: str | None = None
    line_number: int = 0
    book: str | None = None
    chapter: str | None = None
    relevance_score: float


class SearchResponse(BaseModel):
    query: str
    total_results: int
    lexicon_results: list[LexiconResult] = []
    grammar_results: list[GrammarResult] = []
    text_results: list[TextResult] = []


class WorkResult(BaseModel):
    id: int
    title: str
    author: str
    language: str


@router.get("")
async def search_endpoint(
    connection: Database,
    q: Annotated[str, Query(min_length=1)],
    language: Language = None,
    types: str | None = None,
    limit: Annotated[int, Query(ge=1, le=50)] = 20,
    threshold: Annotated[float, Query(ge=0, le=1)] = 0.1,
    work_id: Annotated[int | None, Query(ge=1)] = None,
) -> SearchResponse:
    wanted = {part.strip() for part in types.split(",")} if types else TYPES
    if not wanted <= TYPES or not fold(q).strip():
        raise HTTPException(400, f"types must be among {', '.join(sorted(TYPES))}, and q must hold a word")
    found = SearchResponse(query=q, total_results=0)
    if "lexicon" in wanted:
        found.lexicon_results = await _lexicon(connection, q, language, limit, threshold)
    if "grammar" in wanted:
        found.grammar_results = await _grammar(connection, q, limit, threshold)
    if "text" in wanted:
        found.text_results = await _text(connection, q, language, limit, threshold, work_id)
    results = (found.lexicon_results, found.grammar_results, found.text_results)
    found.total_results = sum(len(part) for part in results)
    return found


@router.get("/works")
async def search_works(
    connection: Database,
    language: Language = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> list[WorkResult]:
    code = content.language.c.code.label("language")
    statement = (
        select(text_work.c.id, text_work.c.title, text_work.c.author, code)
        .join(content.language, content.language.c.id == text_work.c.language_id)
        .where(_in_language(language))
        .order_by(text_work.c.author, text_work.c.title)
        .limit(limit)
    )
    return [WorkResult(**row) for row in (await connection.execute(statement)).mappings()]


def _in_language(code: str | None) -> ColumnElement[bool]:
    return content.language.c.code == code if code else true()


async def _lexicon(
    connection: AsyncConnection, q: str, code: str | None, limit: int, threshold: float
) -> list[LexiconResult]:
    folded = fold(q)
    score = case((lexeme.c.lemma_fold == folded, 1.0), else_=func.similarity(lexeme.c.lemma_fold, folded))
    statement = (
        select(
            lexeme.c.id,
            lexeme.c.lemma,
            content.language.c.code.label("language"),
            lexeme.c.pos.label("part_of_speech"),
            lexeme.c.data["gloss"].astext.label("short_definition"),
            score.label("relevance_score"),
        )
        .join(content.language, content.language.c.id == lexeme.c.language_id)
        .where(score >= max(threshold, 0.2), _in_language(code))
        .order_by(score.desc(), lexeme.c.id)
        .limit(limit)
    )
    return [LexiconResult(**row) for row in (await connection.execute(statement)).mappings()]


async def _grammar(connection: AsyncConnection, q: str, limit: int, threshold: float) -> list[GrammarResult]:
    return [
        GrammarResult(
            id=hit.id,
            title=hit.title,
            category=hit.source,
            language=hit.anchor.partition(":")[0],
            content=hit.body,
            relevance_score=hit.score,
        )
        for hit in await find_grammar(connection, q, limit=limit, threshold=threshold)
    ]


async def _text(
    connection: AsyncConnection, q: str, code: str | None, limit: int, threshold: float, work_id: int | None
) -> list[TextResult]:
    score = func.word_similarity(fold(q), text_segment.c.text_fold)
    statement = (
        select(text_segment, text_work.c.title, text_work.c.author, score.label("score"))
        .join(text_work, text_work.c.id == text_segment.c.work_id)
        .join(content.language, content.language.c.id == text_work.c.language_id)
        .where(score >= max(threshold, 0.5), _in_language(code))
        .order_by(score.desc(), text_segment.c.id)
        .limit(limit)
    )
    if work_id:
        statement = statement.where(text_work.c.id == work_id)
    return [
        TextResult(
            id=row.id,
            work_id=row.work_id,
            work_title=row.title,
            author=row.author,
            passage=row.text_nfc,
            line_number=(row.meta or {}).get("line", 0),
            book=str(row.meta["book"]) if row.meta and "book" in row.meta else None,
            chapter=str(row.meta["chapter"]) if row.meta and "chapter" in row.meta else None,
            relevance_score=row.score,
        )
        for row in await connection.execute(statement)
    ]
