"""Run by the release's interpreter: asks twice through the release's own engine, prints one line of JSON."""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from typing import Any


def report(**answer: Any) -> None:
    print(json.dumps(answer))


async def ask(engine: Any) -> None:
    """Two connections, two prepared statements each: a pooler that mixes sessions up fails at the second."""
    from sqlalchemy import text

    statement = text("SELECT current_database() AS name, CAST(:number AS integer) AS number")
    for number in (1, 2):
        async with engine.connect() as connection:
            row = (await connection.execute(statement, {"number": number})).one()
            assert row.number == number, "the answer belongs to another question"
        await engine.dispose()
    report(ok=True, database=row.name, driver=engine.dialect.driver)


def main(place: str) -> None:
    module, _, name = place.partition(":")
    try:
        engine = getattr(importlib.import_module(module), name)
    except Exception as error:
        report(ok=False, stage="import", kind=type(error).__name__, error=str(error))
        return
    try:
        asyncio.run(ask(engine))
    except Exception as error:
        cause = getattr(error, "orig", None) or error
        kind = type(getattr(cause, "__cause__", None) or cause).__name__
        report(ok=False, stage="query", kind=kind, error=" ".join(str(cause).split()))


if __name__ == "__main__":
    main(sys.argv[1])
