"""Column shapes that many tables share."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, DateTime, ForeignKey, Integer, MetaData, func
from sqlalchemy.types import UserDefinedType

EMBEDDING_DIMENSIONS = 1536

metadata = MetaData()


class Vector(UserDefinedType[str]):
    """pgvector's type; values travel as its text form."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return f"VECTOR({EMBEDDING_DIMENSIONS})"


def identity() -> Column[int]:
    return Column("id", Integer, primary_key=True)


def owner(name: str = "user_id", *, nullable: bool = False, cascade: bool = False) -> Column[int]:
    """A reference to the user that a row belongs to."""
    reference = ForeignKey("user.id", ondelete="CASCADE") if cascade else ForeignKey("user.id")
    return Column(name, Integer, reference, nullable=nullable)


def moment(name: str, *, nullable: bool = True, now: bool = False) -> Column[Any]:
    default = func.now() if now else None
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=default)


def created() -> Column[Any]:
    return moment("created_at", nullable=False, now=True)


def updated() -> Column[Any]:
    return moment("updated_at", nullable=False, now=True)
