"""The port to the place that every operator of an environment shares: leases, and the anchors of runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Stored:
    """An object as it was read; ``version`` is what a conditional `Store.put` compares."""

    body: bytes
    version: str


class Store(Protocol):
    """Named objects with conditional writes, as S3 offers them (``If-Match``, ``If-None-Match: *``)."""

    shared: bool
    """Whether operators on other machines see the same objects."""

    def get(self, name: str) -> Stored | None:
        """The object, or None if there is none. Raises SystemFault if the store can't be asked."""

    def put(self, name: str, body: bytes, *, replaces: str | None) -> str | None:
        """Write the object if its version is still ``replaces`` (None: if it does not exist yet).

        Returns:
            The new version, or None if somebody else was faster; then nothing was written.

        Raises:
            SystemFault: the store can't be asked, or has no space.
        """

    def names(self, prefix: str) -> Iterator[str]:
        """The names that begin with this prefix, in order."""

    def __str__(self) -> str:
        """How an operator would name the place."""
