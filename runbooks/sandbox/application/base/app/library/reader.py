"""The reader: a language's texts, how one is divided, and its segments in order."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel
from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.content import language, source_doc, text_segment, text_work
from app.db.engine import Database
from app.library.analysis import AnalyzeRequest, AnalyzeResponse, analyze_text

router = APIRouter(prefix="/reader", tags=["Reader"])


class TextWorkInfo(BaseModel):
    id: int
    author: str
    title: str
    language: str
    ref_scheme: str
    segment_count: int
    license_name: str
    license_url: str | None = None
    source_title: str
    preview: str | None = None


class TextListResponse(BaseModel):
    texts: list[TextWorkInfo]


class BookInfo(BaseModel):
    book: int
    line_count: int
    first_line: int
    last_line: int


class TextStructure(BaseModel):
    text_id: int
    title: str
    author: str
    ref_scheme: str
    books: list[BookInfo] | None = None
    pages: list[str] | None = None
    chapters: list[dict[str, Any]] | None = None


class TextStructureResponse(BaseModel):
    structure: TextStructure


class SegmentWithMeta(BaseModel):
    ref: str
    text: str
    meta: dict[str, Any]


class TextSegmentsResponse(BaseModel):
    segments: list[SegmentWithMeta]
    text_info: dict[str, Any]


@router.get("/texts")
async def get_texts(
    connection: Database, code: Annotated[str, Query(alias="language")] = "grc-cls"
) -> TextListResponse:
    first = text_segment.alias("first")
    preview = (
        select(first.c.text_nfc)
        .where(first.c.work_id == text_work.c.id)
        .order_by(first.c.id)
        .limit(1)
        .scalar_subquery()
    )
    statement = (
        select(
            text_work.c.id,
            text_work.c.author,
            text_work.c.title,
            language.c.code.label("language"),
            text_work.c.ref_scheme,
            func.count(text_segment.c.id).label("segment_count"),
            source_doc.c.license["name"].astext.label("license_name"),
            source_doc.c.license["url"].astext.label("license_url"),
            source_doc.c.title.label("source_title"),
            preview.label("preview"),
        )
        .join(language, language.c.id == text_work.c.language_id)
        .join(source_doc, source_doc.c.id == text_work.c.source_id)
        .outerjoin(text_segment, text_segment.c.work_id == text_work.c.id)
        .where(language.c.code == code)
        .group_by(text_work.c.id, language.c.code, source_doc.c.license, source_doc.c.title)
        .order_by(text_work.c.author, text_work.c.title)
    )
    rows = (await connection.execute(statement)).mappings()
    return TextListResponse(texts=[TextWorkInfo(**row) for row in rows])


@router.get("/texts/{text_id}/structure")
async def get_text_structure(text_id: int, connection: Database) -> TextStructureResponse:
    work = await _work(connection, text_id)
    segments = await _segments(connection, text_id)
    structure = TextStructure(
        text_id=work.id, title=work.title, author=work.author, ref_scheme=work.ref_scheme
    )
    if work.ref_scheme == "book.line":
        structure.books = _books(segments)
    else:
        structure.chapters = _chapters(segments)
    return TextStructureResponse(structure=structure)


@router.get("/texts/{text_id}/segments")
async def get_text_segments(
    text_id: int, ref_start: str, ref_end: str, connection: Database
) -> TextSegmentsResponse:
    work = await _work(connection, text_id)
    segments = await _segments(connection, text_id)
    position = {segment.ref: index for index, segment in enumerate(segments)}
    if ref_start not in position or ref_end not in position:
        raise HTTPException(404, f"No segments from {ref_start} to {ref_end}")
    chosen = segments[position[ref_start] : position[ref_end] + 1]
    return TextSegmentsResponse(
        segments=[SegmentWithMeta(ref=s.ref, text=s.text_nfc, meta=s.meta or {}) for s in chosen],
        text_info={"id": work.id, "title": work.title, "author": work.author, "language": work.language},
    )


@router.post("/analyze")
async def analyze(
    request: AnalyzeRequest, connection: Database, include: str | None = None
) -> AnalyzeResponse:
    wanted = {part.strip() for part in (include or "").split(",")}
    return await analyze_text(connection, request, wanted)


async def _work(connection: AsyncConnection, text_id: int) -> Row[Any]:
    statement = (
        select(text_work, language.c.code.label("language"))
        .join(language, language.c.id == text_work.c.language_id)
        .where(text_work.c.id == text_id)
    )
    work = (await connection.execute(statement)).first()
    if work is None:
        raise HTTPException(404, f"Text {text_id} not found")
    return work


async def _segments(connection: AsyncConnection, text_id: int) -> list[Row[Any]]:
    """The text's segments in reading order, which is the order in which they were written."""
    columns = (text_segment.c.ref, text_segment.c.text_nfc, text_segment.c.meta)
    statement = select(*columns).where(text_segment.c.work_id == text_id).order_by(text_segment.c.id)
    return list(await connection.execute(statement))


def _books(segments: list[Row[Any]]) -> list[BookInfo]:
    lines: dict[int, list[int]] = {}
    for segment in segments:
        lines.setdefault(segment.meta["book"], []).append(segment.meta["line"])
    return [
        BookInfo(book=book, line_count=len(numbers), first_line=min(numbers), last_line=max(numbers))
        for book, numbers in lines.items()
    ]


def _chapters(segments: list[Row[Any]]) -> list[dict[str, Any]]:
    refs: dict[int, list[str]] = {}
    for segment in segments:
        refs.setdefault(segment.meta["chapter"], []).append(segment.ref)
    return [
        {"chapter": chapter, "segment_count": len(found), "first_ref": found[0], "last_ref": found[-1]}
        for chapter, found in refs.items()
    ]
