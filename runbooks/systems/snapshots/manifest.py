"""What a snapshot says of itself: a manifest that anybody may read, and the contents that a restore must equal."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from runbooks.engine.errors import InputError
from runbooks.systems.postgres.records import Fingerprint, Properties
from runbooks.systems.store.objects import Digest

SCHEMA = 1
CONTENTS = "contents.json"
FOLDER, STREAM = "directory", "custom"
"""The two forms of an archive, by pg_dump's names."""

Document = TypeVar("Document")


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """One object of a snapshot: its name below the snapshot, and its size and SHA-256 as it lies in the store."""

    name: str
    size: int
    sha256: str

    @property
    def digest(self) -> Digest:
        return Digest(self.size, self.sha256)


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Written last and once: a snapshot without it does not exist.

    Attributes:
        id: The snapshot's name in the store.
        run: The run that made it.
        environment: The environment's name in the inventory.
        database: The database's name.
        system: The cluster's own identifier; None where the role may not read it.
        taken: The server's clock at the moment that all of it shows.
        lsn: The place in the write-ahead log at that moment.
        server: The server's version as PostgreSQL counts.
        programs: The major version of the pg_dump that wrote the archive.
        archive: `FOLDER` or `STREAM`.
        bytes: The size of the database on the server's disk.
        tables: How many tables it holds rows of.
        rows: How many rows they have together.
        heads: The migrations that the schema is at.
        release: The git commit that ran when it was taken; None: it was not known.
        encrypted: Whether its objects are encrypted, and to whom.
        algorithm: How tables were fingerprinted.
        tool: The version of this tool.
        files: Every object but the manifest itself.
        seconds: How long making it took, by stage.
    """

    schema: int = SCHEMA
    id: str
    run: str
    environment: str
    database: str
    system: str | None
    taken: datetime
    lsn: str
    server: int
    programs: int
    archive: str
    bytes: int
    tables: int
    rows: int
    heads: tuple[str, ...]
    release: str | None
    encrypted: tuple[str, ...]
    algorithm: str
    tool: str
    files: tuple[StoredFile, ...]
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def stored(self) -> int:
        """Bytes in the store."""
        return sum(file.size for file in self.files)

    @property
    def major(self) -> int:
        """The server's major version."""
        return self.server // 10000


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a restored database must equal. Encrypted with the rest: few rows can be guessed from a fingerprint.

    Attributes:
        tables: By qualified name.
        large_objects: Of all of them.
        catalogue: Every object, see `runbooks.systems.postgres.catalogue`.
        properties: Of the database as such.
        roles: Who owns something in it or is granted something.
        not_dumped: Foreign tables, whose rows are another server's.
        vector_memory: An estimate of the memory in which its largest vector index would be built at once, in bytes.
    """

    tables: dict[str, Fingerprint]
    large_objects: Fingerprint
    catalogue: dict[str, dict[str, str]]
    properties: Properties
    roles: tuple[str, ...]
    not_dumped: tuple[str, ...] = ()
    vector_memory: int = 0


def encode(document: Any, kind: Any = None) -> bytes:
    """A manifest or contents as JSON; ``kind`` where that is more than its own type."""
    from pydantic import TypeAdapter

    return TypeAdapter(kind or type(document)).dump_json(document, indent=1) + b"\n"


def decode(body: bytes, kind: type[Document], where: str) -> Document:
    """A manifest or contents out of JSON.

    Raises:
        InputError: it is neither, or of another version of this tool.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        document = TypeAdapter(kind).validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise InputError(
            f"this is no {kind.__name__.lower()}",
            where=where,
            found=f"{'.'.join(map(str, first['loc'])) or 'the text'}: {first['msg']}",
            mend="it was damaged, or written by another version of this tool",
        ) from error
    if isinstance(document, Manifest) and document.schema != SCHEMA:
        mend = "use the version of this tool that wrote it"
        raise InputError("a snapshot of another format", where=where, found=f"schema {document.schema}", mend=mend)
    return document
