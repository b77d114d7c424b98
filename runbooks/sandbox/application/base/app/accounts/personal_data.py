"""Everything stored about one user: handed out whole, or erased whole.

Which tables that is follows from their references to "user", so a new table can't be forgotten.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Table, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.accounts import user
from app.db.columns import metadata

# Not the user's data but the means to impersonate the user.
SECRET_COLUMNS = frozenset({"hashed_password", "encrypted_api_key", "token", "jti"})


def owned_tables() -> list[Table]:
    """The tables with a reference to a user, referring ones before referred ones."""
    return [table for table in reversed(metadata.sorted_tables) if _owner_columns(table)]


def _owner_columns(table: Table) -> list[Any]:
    return [key.parent for key in table.foreign_keys if key.column.table is user]


def _belongs_to(table: Table, user_id: int) -> ColumnElement[bool]:
    return or_(*(column == user_id for column in _owner_columns(table)))


async def export(connection: AsyncConnection, user_id: int) -> dict[str, list[dict[str, Any]]]:
    """The user's rows of every table that has any."""
    found: dict[str, list[dict[str, Any]]] = {}
    for table in [user, *owned_tables()]:
        columns = [column for column in table.columns if column.name not in SECRET_COLUMNS]
        mine = table.c.id == user_id if table is user else _belongs_to(table, user_id)
        rows = (await connection.execute(select(*columns).where(mine).order_by(table.c.id))).mappings().all()
        if rows:
            found[table.name] = [dict(row) for row in rows]
    return found


async def erase(connection: AsyncConnection, user_id: int) -> int:
    """Delete the user and every row that refers to it; return how many rows went."""
    erased = 0
    for table in owned_tables():
        erased += (await connection.execute(delete(table).where(_belongs_to(table, user_id)))).rowcount
    erased += (await connection.execute(delete(user).where(user.c.id == user_id))).rowcount
    return erased
