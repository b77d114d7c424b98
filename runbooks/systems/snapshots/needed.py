"""The snapshots that a rollback would restore, as the records of releases name them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from runbooks.engine.errors import InputError
from runbooks.engine.store import Store

RELEASES = "releases/"
"""Where the records of releases lie in the store."""

BEFORE = "snapshot_before"
"""What such a record calls the snapshot that was taken ahead of the release's own migration."""


def snapshots_needed(store: Store) -> Mapping[str, str]:
    """The snapshots that the way back to some release needs: id, and which record names it.

    Whatever record names a snapshot needs it, also one that this version can't make sense of otherwise: a snapshot too
    many costs space, one too few the way back.

    Raises:
        InputError: a record can't be read, so nobody knows what it needs.
        SystemFault: the store can't be asked.
    """
    needed: dict[str, str] = {}
    for name in store.names(RELEASES):
        stored = store.get(name)
        if stored is None:
            continue
        try:
            document = json.loads(stored.body)
        except ValueError as error:
            raise InputError(
                "the record of a release can't be read, so nobody knows which snapshot its rollback needs",
                where=f"{name} in {store}",
                found=str(error),
                mend="compare it with a copy, or correct it by hand",
            ) from error
        for id in _named(document):
            needed[id] = name.removeprefix(RELEASES).removesuffix(".json")
    return needed


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == BEFORE and isinstance(inner, str) and inner:
                yield inner
            else:
                yield from _named(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner)
