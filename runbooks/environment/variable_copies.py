"""The encrypted copies of an environment's variables: made by deploys and rotations, opened by drills and checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from runbooks.engine.errors import InputError
from runbooks.engine.secret import Secret
from runbooks.environment.secret_store import current_variables
from runbooks.environment.sensitive import sensitive
from runbooks.environment.snapshots import Snapshots
from runbooks.systems.variables.copies import PROBE, Copies, Copy, fingerprints, new_id


@dataclass(frozen=True)
class Differences:
    """Names only, each in order."""

    changed: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.changed or self.added or self.removed)

    def __str__(self) -> str:
        parts = (("changed", self.changed), ("added", self.added), ("removed", self.removed))
        return "; ".join(f"{what}: {', '.join(names)}" for what, names in parts if names) or "no difference"


@dataclass
class VariableCopies:
    """Of one environment."""

    snapshots: Snapshots

    @cached_property
    def copies(self) -> Copies:
        return Copies(self.snapshots.shelf.store)

    def back_up(self, run: str, *, release: str | None = None, part: str = "") -> Copy:
        """Keep a copy of the variables of now. Safe to repeat: a run makes it once.

        Args:
            run: The run that makes it.
            release: The commit that they belong to; None: the one that they name themselves.
            part: Tells the copies of a run that makes several from each other.

        Raises:
            InputError: the inventory names no recipient, or no key for fingerprints.
            SystemFault: the store can't be asked; or this run had copied other variables.
        """
        site = self.snapshots.site
        return self.copies.put(
            current_variables(site),
            id=_id(run, part),
            run=run,
            environment=site.environment.name,
            release=release or site.commit,
            keys=self.snapshots.recipient_keys,
            fingerprint=site.fingerprint,
        )

    def made_by(self, run: str, part: str = "") -> Copy | None:
        """The copy that a run has made, or None. Raises InputError if its manifest is damaged."""
        return self.copies.copy(_id(run, part))

    def open(self, copy: Copy) -> Mapping[str, Secret]:
        """A copy's variables by name; what is secret of them is masked from here on.

        Raises:
            InputError: the inventory names no identity to read it with.
            SystemFault: it is missing, damaged, or was not encrypted to that identity.
        """
        if self.snapshots.identity is None:
            raise InputError(
                "the copy of the variables is encrypted, and there is no key to read it with",
                where=copy.id,
                found=f"encrypted to {', '.join(each[:24] + '…' for each in copy.encrypted)}",
                mend='declare backup.identity = { secret = "AGE_IDENTITY" } in the inventory',
            )
        variables = self.copies.read(copy, self.snapshots.identity)
        self.snapshots.site.redactor.add(*sensitive(variables))
        return variables

    def value(self, copy: Copy, name: str) -> Secret | None:
        """One variable of a copy, such as the key that its snapshot's rows were encrypted with. Raises as `open`."""
        return self.open(copy).get(name)

    def differences(self, copy: Copy) -> Differences:
        """How the variables of now differ from a copy's, told by fingerprints.

        Raises:
            InputError: the copy was fingerprinted with another key.
        """
        site = self.snapshots.site
        if site.fingerprint(PROBE) != copy.key:
            raise InputError(
                "the copy's fingerprints were made with another key, so they tell nothing",
                where=copy.id,
                mend="use the key in fingerprints.key that it was made with; or invoke variables.restore, and compare",
            )
        before, now = copy.fingerprints, fingerprints(current_variables(site), site.fingerprint)
        return Differences(
            changed=tuple(name for name in before if name in now and now[name] != before[name]),
            added=tuple(name for name in now if name not in before),
            removed=tuple(name for name in before if name not in now),
        )


def _id(run: str, part: str) -> str:
    return new_id(run) + (f"-{part}" if part else "")
