"""``python -m app.seed``: write the small corpus that the library starts with. Safe to repeat.

A work that is already there is left alone, so an operator's own additions survive.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.columns import EMBEDDING_DIMENSIONS
from app.db.content import (
    generated_vocabulary,
    grammar_topic,
    language,
    lexeme,
    source_doc,
    text_segment,
    text_work,
    token,
)
from app.db.engine import engine
from app.db.languages import write_languages
from app.library.folding import fold, nfc, words

CORPUS = Path(__file__).with_name("corpus.json")


def embedding(text: str) -> str:
    """A unit vector with one direction per word: texts that share words are neighbours."""
    weights = [0.0] * EMBEDDING_DIMENSIONS
    for word in words(text):
        digest = hashlib.sha256(fold(word.text).encode()).digest()
        weights[int.from_bytes(digest[:4], "big") % EMBEDDING_DIMENSIONS] += 1.0
    length = math.sqrt(sum(weight * weight for weight in weights)) or 1.0
    return "[" + ",".join(f"{weight / length:.6g}" for weight in weights) + "]"


async def _absent(connection: AsyncConnection, statement: Any) -> bool:
    return (await connection.execute(statement)).first() is None


class Seeder:
    """Writes one corpus over one connection."""

    def __init__(self, connection: AsyncConnection, corpus: dict[str, Any]) -> None:
        self.connection = connection
        self.corpus = corpus
        self.languages: dict[str, int] = {}
        self.sources: dict[str, int] = {}

    async def run(self) -> None:
        self.languages = await self._ids(language.c.code, language.c.id)
        for source in self.corpus["sources"]:
            if await _absent(self.connection, select(source_doc.c.id).filter_by(slug=source["slug"])):
                await self.connection.execute(insert(source_doc).values(source))
        self.sources = await self._ids(source_doc.c.slug, source_doc.c.id)
        for work in self.corpus["works"]:
            await self._work(work)
        for code, entries in self.corpus["lexemes"].items():
            await self._lexemes(code, entries)
        for topic in self.corpus["grammar"]:
            await self._topic(topic)
        for code, entries in self.corpus["vocabulary"].items():
            await self._vocabulary(code, entries)

    async def _ids(self, key: Any, value: Any) -> dict[str, int]:
        return {row[0]: row[1] for row in await self.connection.execute(select(key, value))}

    async def _work(self, work: dict[str, Any]) -> None:
        same = select(text_work.c.id).where(
            text_work.c.title == work["title"], text_work.c.author == work["author"]
        )
        if not await _absent(self.connection, same):
            return
        values = {
            "language_id": self.languages[work["language"]],
            "source_id": self.sources[work["source"]],
            **{name: work[name] for name in ("author", "title", "ref_scheme")},
        }
        work_id = await self.connection.scalar(insert(text_work).values(values).returning(text_work.c.id))
        part = work["ref_scheme"].split(".")
        for ref, text in work["segments"]:
            meta = dict(zip(part, map(int, ref.split(".")), strict=True))
            await self._segment(work_id, work["language"], ref, text, meta)

    async def _segment(self, work_id: Any, code: str, ref: str, text: str, meta: dict[str, int]) -> None:
        row = {
            "work_id": work_id,
            "ref": ref,
            "text_raw": text,
            "text_nfc": nfc(text),
            "text_fold": fold(text),
            "emb": embedding(text),
            "meta": meta,
        }
        statement = insert(text_segment).values(row).returning(text_segment.c.id)
        segment_id = await self.connection.scalar(statement)
        rows = [
            self._token(segment_id, code, index, word.text) for index, word in enumerate(words(nfc(text)))
        ]
        await self.connection.execute(insert(token), rows)

    def _token(self, segment_id: Any, code: str, index: int, surface: str) -> dict[str, Any]:
        lemma, morph = self.corpus["forms"].get(code, {}).get(fold(surface), (None, None))
        return {
            "segment_id": segment_id,
            "idx": index,
            "surface": surface,
            "surface_nfc": nfc(surface),
            "surface_fold": fold(surface),
            "lemma": lemma,
            "lemma_fold": fold(lemma) if lemma else None,
            "msd": {"morph": morph} if morph else None,
        }

    async def _lexemes(self, code: str, entries: list[list[str]]) -> None:
        language_id = self.languages[code]
        for lemma, part_of_speech, gloss in entries:
            same = select(lexeme.c.id).where(lexeme.c.language_id == language_id, lexeme.c.lemma == lemma)
            if await _absent(self.connection, same):
                row = {"language_id": language_id, "lemma": lemma, "lemma_fold": fold(lemma)}
                statement = insert(lexeme).values(**row, pos=part_of_speech, data={"gloss": gloss})
                await self.connection.execute(statement)

    async def _topic(self, topic: dict[str, str]) -> None:
        if not await _absent(self.connection, select(grammar_topic.c.id).filter_by(anchor=topic["anchor"])):
            return
        body = topic["body"]
        row = {"source_id": self.sources[topic["source"]], "anchor": topic["anchor"], "title": topic["title"]}
        text = f"{topic['title']}. {body}"
        statement = insert(grammar_topic).values(**row, body=body, body_fold=fold(text), emb=embedding(text))
        await self.connection.execute(statement)

    async def _vocabulary(self, code: str, entries: list[list[str]]) -> None:
        table = generated_vocabulary
        for word, translation, field in entries:
            same = select(table.c.id).where(table.c.language_code == code, table.c.word == word)
            if not await _absent(self.connection, same):
                continue
            statement = insert(table).values(
                language_code=code,
                word=word,
                word_normalized=fold(word),
                proficiency_level="absolute_beginner",
                difficulty="easy",
                semantic_field=field,
                vocabulary_data={"word": word, "translation": translation},
                emb=embedding(f"{word} {translation}"),
            )
            await self.connection.execute(statement)


async def main() -> None:
    await write_languages(engine)
    async with engine.begin() as connection:
        await Seeder(connection, json.loads(CORPUS.read_text(encoding="utf-8"))).run()
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main())
