"""The port for objects too large to be held in memory, beside the engine's `Store` for small ones with conditions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

PIECE = 1 << 20
"""Bytes that are read at once."""


@dataclass(frozen=True)
class Digest:
    """How many bytes, and their SHA-256 in hexadecimal: our own, as a store's depends on how it was uploaded."""

    size: int
    sha256: str


class Objects(Protocol):
    """Large objects under names with slashes. Writing replaces; nothing of a write that did not end is ever seen."""

    def upload(self, name: str, source: BinaryIO, *, expected: int) -> Digest:
        """Write what the source gives, to its end.

        Args:
            expected: About how many bytes, at most; parts are chosen by it.

        Raises:
            SystemFault: the store can't be asked, refuses, or has no space; the object is then as it was before.
        """

    def download(self, name: str) -> Iterator[bytes]:
        """The object in pieces.

        Raises:
            SystemFault: there is none, or the store can't be asked.
        """

    def size(self, name: str) -> int | None:
        """Its size in bytes; None if there is no such object."""

    def remove(self, prefix: str) -> int:
        """Remove every object whose name begins so, and what unfinished writes left; how many objects there were."""

    def unfinished(self, prefix: str) -> list[str]:
        """The names, beginning so, under which a write did not end; a name stands there once per write."""

    def abandon(self, prefix: str) -> int:
        """Remove what unfinished writes left under names that begin so, and no object; how many there were."""

    def __str__(self) -> str:
        """How an operator would name the place."""


class Counting:
    """Passes a source on and computes its digest on the way."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._hash = hashlib.sha256()
        self._size = 0

    def read(self, size: int = -1) -> bytes:
        piece = self._source.read(size)
        self._hash.update(piece)
        self._size += len(piece)
        return piece

    @property
    def digest(self) -> Digest:
        """Of what was read so far."""
        return Digest(self._size, self._hash.hexdigest())


def digest_of(pieces: Iterator[bytes], on_read: Callable[[int], None] = lambda _bytes: None) -> Digest:
    """The digest of an object in pieces."""
    hashed, size = hashlib.sha256(), 0
    for piece in pieces:
        hashed.update(piece)
        size += len(piece)
        on_read(len(piece))
    return Digest(size, hashed.hexdigest())
