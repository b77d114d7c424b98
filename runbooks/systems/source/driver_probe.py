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
    """Ask, have somebody else in a transaction, ask the same again over the first connection.

    Where a pooler hands server connections out per transaction, the other one then has that on which the first has
    prepared its statement. A pooler in front of sessions, or none, tells no difference.
    """
    from sqlalchemy import text

    statement = text("SELECT current_database() AS name, CAST(:number AS integer) AS number")
    async with engine.connect() as first, engine.connect() as other:
        for number in (1, 2):
            row = (await first.execute(statement, {"number": number})).one()
            assert row.number == number, "the answer belongs to another question"
            await first.rollback()
            await other.execute(text("SELECT 1"))
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
