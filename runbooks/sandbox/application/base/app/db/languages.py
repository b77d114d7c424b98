"""The languages on offer, written at every start."""

from __future__ import annotations

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.content import language

LANGUAGES = {
    "grc-cls": "Classical Greek",
    "grc-koi": "Koine Greek",
    "lat": "Latin",
    "hbo": "Biblical Hebrew",
}


async def write_languages(engine: AsyncEngine) -> None:
    rows = [{"code": code, "name": name} for code, name in sorted(LANGUAGES.items())]
    statement = insert(language).values(rows)
    statement = statement.on_conflict_do_update(
        index_elements=[language.c.code],
        set_={"name": statement.excluded.name, "updated_at": func.now()},
    )
    async with engine.begin() as connection:
        await connection.execute(statement)
