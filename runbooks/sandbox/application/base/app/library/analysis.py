"""Morphology: what each word of a text is, looked up in the analysed corpus and the dictionary."""

from __future__ import annotations

from typing import Any

from fastapi import HTTPException
from pydantic import AliasChoices, BaseModel, Field
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import content
from app.db.content import lexeme, text_segment, text_work, token
from app.library.folding import Word, fold, nfc, words
from app.library.grammar import find_grammar

NEIGHBOURS = 5


class AnalyzeRequest(BaseModel):
    text: str = Field(min_length=1, validation_alias=AliasChoices("text", "q"))
    language: str = "grc-cls"


class TokenPayload(BaseModel):
    text: str
    start: int
    end: int
    lemma: str | None = None
    morph: str | None = None


class HybridHit(BaseModel):
    segment_id: int
    work_ref: str
    text_nfc: str
    score: float
    reasons: list[str]


class LexiconEntry(BaseModel):
    lemma: str
    gloss: str | None = None
    citation: str | None = None


class GrammarEntry(BaseModel):
    anchor: str
    title: str
    score: float


class AnalyzeResponse(BaseModel):
    tokens: list[TokenPayload]
    retrieval: list[HybridHit]
    lexicon: list[LexiconEntry] | None = None
    grammar: list[GrammarEntry] | None = None


async def analyze_text(
    connection: AsyncConnection, request: AnalyzeRequest, include: set[str]
) -> AnalyzeResponse:
    known = select(content.language.c.id).where(content.language.c.code == request.language)
    language_id = await connection.scalar(known)
    if language_id is None:
        raise HTTPException(400, f"Unsupported language: {request.language}")
    found = words(nfc(request.text))
    forms = await _analysed_forms(connection, language_id, found)
    entries = await _dictionary(connection, language_id, found, forms)
    tokens = [_token(word, forms, entries) for word in found]
    response = AnalyzeResponse(
        tokens=tokens, retrieval=await _similar_segments(connection, language_id, request.text)
    )
    if "lexicon" in include:
        lemmas = dict.fromkeys(fold(token.lemma) for token in tokens if token.lemma)
        response.lexicon = [
            LexiconEntry(lemma=entries[key].lemma, gloss=entries[key].data.get("gloss"))
            for key in lemmas
            if key in entries
        ]
    if "grammar" in include:
        hits = await find_grammar(connection, request.text, limit=NEIGHBOURS, threshold=0.1)
        response.grammar = [GrammarEntry(anchor=h.anchor, title=h.title, score=h.score) for h in hits]
    return response


def _token(word: Word, forms: dict[str, Any], entries: dict[str, Any]) -> TokenPayload:
    payload = TokenPayload(text=word.text, start=word.start, end=word.end)
    key = fold(word.text)
    if key in forms:
        payload.lemma = forms[key].lemma
        payload.morph = (forms[key].msd or {}).get("morph")
    elif key in entries:
        payload.lemma = entries[key].lemma
    return payload


async def _analysed_forms(connection: AsyncConnection, language_id: int, found: list[Word]) -> dict[str, Any]:
    """The first analysis in the corpus of each of these words, by folded form."""
    statement = (
        select(token.c.surface_fold, token.c.lemma, token.c.msd)
        .distinct(token.c.surface_fold)
        .join(text_segment, text_segment.c.id == token.c.segment_id)
        .join(text_work, text_work.c.id == text_segment.c.work_id)
        .where(
            text_work.c.language_id == language_id,
            token.c.lemma.is_not(None),
            token.c.surface_fold.in_({fold(word.text) for word in found}),
        )
        .order_by(token.c.surface_fold, token.c.id)
    )
    return {row.surface_fold: row for row in await connection.execute(statement)}


async def _dictionary(
    connection: AsyncConnection, language_id: int, found: list[Word], forms: dict[str, Any]
) -> dict[str, Any]:
    wanted = {fold(word.text) for word in found} | {fold(row.lemma) for row in forms.values()}
    statement = select(lexeme.c.lemma, lexeme.c.lemma_fold, lexeme.c.data).where(
        lexeme.c.language_id == language_id, lexeme.c.lemma_fold.in_(wanted)
    )
    return {row.lemma_fold: row for row in await connection.execute(statement)}


async def _similar_segments(connection: AsyncConnection, language_id: int, text: str) -> list[HybridHit]:
    score = func.word_similarity(fold(text), text_segment.c.text_fold)
    statement = (
        select(
            text_segment.c.id,
            text_segment.c.ref,
            text_segment.c.text_nfc,
            text_work.c.title,
            score.label("score"),
        )
        .join(text_work, text_work.c.id == text_segment.c.work_id)
        .where(text_work.c.language_id == language_id, score >= 0.3)
        .order_by(score.desc(), text_segment.c.id)
        .limit(NEIGHBOURS)
    )
    return [
        HybridHit(
            segment_id=row.id,
            work_ref=f"{row.title} {row.ref}",
            text_nfc=row.text_nfc,
            score=row.score,
            reasons=["lexical"],
        )
        for row in await connection.execute(statement)
    ]
