"""Reads and writes the ledger: one object per entry, each put only if its number is free."""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from runbooks.engine.errors import InputError, LeaseLost, Reason, SystemFault
from runbooks.engine.store import Store
from runbooks.systems.releases.history import History
from runbooks.systems.releases.record import Entry
from runbooks.systems.snapshots.manifest import decode, encode

RELEASES = "releases/"
"""Where the records of releases lie in the store."""

_NAME = re.compile(r"(\d{8})\.json")
_TRIES = 5
_READERS = 16


@dataclass(frozen=True)
class Releases:
    """The releases of one environment."""

    store: Store

    def __str__(self) -> str:
        return f"{RELEASES} in {self.store}"

    def history(self) -> History:
        """What the entries come to. Raises as `entries`."""
        return History.of(self.entries())

    def names(self) -> Sequence[str]:
        """Of everything that lies there. Raises SystemFault: the store can't be asked."""
        return sorted(self.store.names(RELEASES))

    def entries(self) -> Sequence[Entry]:
        """All of them, oldest first.

        Raises:
            InputError: one is damaged, missing, or in another's place: nobody knows then what was deployed.
            SystemFault: the store can't be asked.
        """
        with ThreadPoolExecutor(_READERS, thread_name_prefix="releases") as pool:
            found = list(pool.map(self._read, filter(is_entry, self.names())))
        for number, entry in enumerate(found, start=1):
            if entry.number != number:
                raise InputError(
                    "the ledger of releases has a gap, so nobody knows what was deployed",
                    where=str(self),
                    found=f"entry {entry.number} where {number} should be",
                    mend="put the missing object back from a copy of the store",
                )
        return found

    def append(self, entry: Entry) -> Entry:
        """Write an entry, under the next number; one that the same run has written already is left as it is.

        Raises:
            LeaseLost: somebody has written under a newer lease, so ours is over. Nothing was written.
            InputError, SystemFault: as `entries`.
        """
        for _ in range(_TRIES):
            known = self.entries()
            for each in known:
                if (each.run, each.kind, each.id) == (entry.run, entry.kind, entry.id):
                    return each
            newest = max((each.token for each in known), default=0)
            if newest > entry.token:
                raise LeaseLost(
                    "somebody has changed the environment under a newer lease, so nothing is recorded",
                    where=str(self),
                    found=f"token {newest}, by run {known[-1].run}; ours is {entry.token}",
                    mend="invoke release.status, then invoke runs.show on both runs",
                )
            numbered = replace(entry, number=len(known) + 1)
            if self.store.put(_name(numbered.number), encode(numbered), replaces=None) is not None:
                return numbered
        raise SystemFault(
            "the ledger of releases changes faster than it can be written", reason=Reason.FAILED, where=str(self)
        )

    def _read(self, name: str) -> Entry:
        stored = self.store.get(name)
        if stored is None:
            raise InputError("an entry of the ledger was removed just now", where=f"{name} in {self.store}")
        entry = decode(stored.body, Entry, f"{name} in {self.store}")
        if _name(entry.number) != name:
            raise InputError(
                "an entry of the ledger lies in another's place",
                where=f"{name} in {self.store}",
                found=f"entry {entry.number}",
                mend="put the object back from a copy of the store",
            )
        return entry


def is_entry(name: str) -> bool:
    """Whether an object of this name is an entry of the ledger."""
    return _NAME.fullmatch(name.removeprefix(RELEASES)) is not None


def _name(number: int) -> str:
    return f"{RELEASES}{number:08d}.json"
