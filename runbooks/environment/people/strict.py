"""How the files of people are read: nothing is converted, and an unknown key is an error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Strict:
    """The base of each file's model; the tables in it inherit what pydantic reads here."""

    __pydantic_config__: ClassVar[dict[str, object]] = {"extra": "forbid", "strict": True}
