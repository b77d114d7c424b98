"""Every ENCRYPTION_KEY that users' rows may be under: the one of now, and older ones that are still kept somewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from runbooks.engine.errors import InputError, RunbookError, SystemFault
from runbooks.engine.secret import Secret
from runbooks.environment.secret_store import current, secret_versions
from runbooks.environment.snapshots import Snapshots
from runbooks.environment.variable_copies import VariableCopies
from runbooks.systems.secrets.fernet import NEW_KEY, problem, same

KEY = "ENCRYPTION_KEY"
BY_HAND = f"{KEY}_"
"""How the names begin under which an operator gives older keys, among this tool's own secrets."""


@dataclass(frozen=True)
class Kept:
    """An older key, and where it was found."""

    key: Secret
    where: str


@dataclass
class KeyRing:
    """Of one environment.

    Attributes:
        looked: Where `older` has looked so far, and what kept it from looking.
    """

    snapshots: Snapshots
    looked: list[str] = field(default_factory=list)

    def current(self) -> Secret | None:
        """The one that the application has; None: it has none.

        Raises:
            InputError: it is not exactly one Fernet key.
            SystemFault: the place that keeps it can't be asked.
        """
        key = current(self.snapshots.site, KEY)
        if key and (found := problem(key.reveal())):
            raise InputError(f"{KEY} is not exactly one Fernet key", where="[variables]", found=found, mend=NEW_KEY)
        return key

    @property
    def in_use(self) -> bool:
        """Whether the application stores users' keys, as far as its variables tell."""
        return self.snapshots.site.flag("BYOK_ENABLED", default=True)

    def older(self) -> Iterator[Kept]:
        """Others, each once: that of a rotation under way, those given by hand, those in the copies, newest first.

        Nothing is read before it is asked for. What can't be read is passed over, and told in `looked`.
        """
        known = [key] if (key := self.current()) else []
        for kept in (*self._versions(), *self._by_hand(), *self._copies()):
            if problem(kept.key.reveal()) or any(same(kept.key, each) for each in known):
                continue
            known.append(kept.key)
            yield kept

    def _versions(self) -> Iterator[Kept]:
        try:
            versions = secret_versions(self.snapshots.site)
            found = versions.read(KEY)
        except RunbookError as error:
            self.looked.append(f"the secret's versions: {error.what}")
            return
        self.looked.append(f"the secret's versions in {versions}")
        for label, version in found.labelled().items():
            yield Kept(version.value, f"{label} in {versions}")

    def _by_hand(self) -> Iterator[Kept]:
        for name, secret in self.snapshots.site.values.secrets.load().items():
            if name.startswith(BY_HAND):
                self.snapshots.site.mask(secret)
                self.looked.append(f"{name} in [secrets]")
                yield Kept(secret, f"{name} in [secrets]")

    def _copies(self) -> Iterator[Kept]:
        """One key of each fingerprint; where a copy is damaged, another with the same is opened."""
        held, had = VariableCopies(self.snapshots), set()
        ids = held.copies.ids()
        for id in reversed(ids):
            try:
                copy = held.copies.copy(id)
                if copy is None or KEY not in copy.fingerprints:
                    continue
                print_ = (copy.key, copy.fingerprints[KEY])
                if print_ in had:
                    continue
                key = held.value(copy, KEY)
            except (InputError, SystemFault) as error:
                self.looked.append(f"copy {id}: {error.what}")
                continue
            had.add(print_)
            if key:
                self.looked.append(f"copy {id}")
                yield Kept(key, f"copy {id}")
        if not ids:
            self.looked.append(f"no copies of the variables in {held.copies}")
