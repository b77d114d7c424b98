"""What is kept of a database in a file. No client is imported here: who only lists snapshots needs none."""

from __future__ import annotations

from dataclasses import dataclass

ALGORITHM = "typed-3"
"""Two fingerprints are comparable only if this and the server's major version are the same."""


@dataclass(frozen=True)
class Fingerprint:
    """Of one table: its rows, and the sum of their hashes as decimal digits."""

    rows: int
    sum: str


@dataclass(frozen=True, kw_only=True)
class Properties:
    """Of a database as such.

    Attributes:
        provider: Who compares texts: ``c``, ``i`` or ``b`` as pg_database says.
        locale: The provider's locale, where it is not the C library's.
        collation_version: What the provider called its rules when the database was made.
        grants: Role (empty: everybody), right, and whether it may be passed on.
        settings: Role (empty: everybody) and ``name=value``.
    """

    owner: str
    encoding: str
    collate: str
    ctype: str
    provider: str = "c"
    locale: str | None = None
    icu_rules: str | None = None
    collation_version: str | None = None
    connection_limit: int = -1
    comment: str | None = None
    grants: tuple[tuple[str, str, bool], ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
