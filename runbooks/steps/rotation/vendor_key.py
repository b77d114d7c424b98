"""A key at a vendor: made there by its API where that can, else by the operator; revoked there once nobody uses it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from runbooks.engine.errors import NeedsPerson, Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.engine.step import Scope, State
from runbooks.engine.wait import until
from runbooks.environment.site import Site
from runbooks.steps.rotation.kind import Change, Kind
from runbooks.systems.providers.api import KeyRefused, NotAllowed
from runbooks.systems.providers.keys import OURS, KeyMaker, KeySwitch, label
from runbooks.systems.secrets.versions import version_id

SOON = 60.0
"""Seconds within which a vendor accepts a key that it has just made."""
OLD = "old key"
"""What the journal calls the vendor's name for the old key."""


@dataclass
class VendorKey(Kind):
    """See `Kind`. Old and new are both accepted until the old one is revoked.

    Attributes:
        vendor: Its name, for people.
        name: The variable that holds the key.
        given: The new key, from the operator, who is asked only where there is no ``maker``.
        maker: Makes and revokes keys there; None: its API can't, no administrator's key is declared, or the operator
            gives a key all the same.
        toggle: Switches keys off there, where its API makes none.
    """

    site: Site
    run: str
    vendor: str
    name: str
    given: Callable[[], Secret]
    maker: KeyMaker | None = None
    toggle: KeySwitch | None = None

    def __post_init__(self) -> None:
        self.title = f"the key at {self.vendor}"
        self.names = (self.name,)
        how = (
            f"revoked at {self.vendor}" if self.maker or self.toggle else f"forgotten here: revoke it at {self.vendor}"
        )
        self.ending = f"the old one is {how}"

    @abstractmethod
    def use(self, key: Secret) -> str:
        """Have the vendor accept the key, by an operation that costs nothing. Raises KeyRefused if it does not."""

    def key_in(self, values: Mapping[str, Secret]) -> Secret:
        """The key that these variables hold."""
        return values[self.name]

    def values_of(self, key: Secret) -> Mapping[str, Secret]:
        """The variables that hold this key. Raises InputError if it is none."""
        return {self.name: key}

    def ask(self) -> None:
        if self.maker is None:
            self.site.mask(self.given())

    def plan(self) -> Iterator[str]:
        yield f"{self.vendor} accepts both keys until the old one is revoked: there is no gap"
        if self.maker:
            yield f"{self.vendor} makes the new key for the administrator's, and calls it “{label(self.run)}”"
            yield "it revokes the old one once nobody uses it and it is forgotten here"
            return
        yield f"make the new key at {self.vendor} first, with the old one's rights"
        yield "it is asked for unseen, or printed by --command, and tried at the provider before anything is changed"
        yield (
            f"{self.vendor} switches the old one off at the end"
            if self.toggle
            else "revoke the old one there afterwards"
        )

    def make(self, current: Mapping[str, Secret]) -> Mapping[str, Secret]:
        old = self.key_in(current)
        if self.maker:
            key = self._made(self.maker, old)
            self.site.mask(key)
            return self.values_of(key)
        key = self.given()
        self.site.mask(key)
        if key == old:
            raise SystemFault("the key that was given is the one of now", reason=Reason.REFUSED, where=self.name)
        self.use(key)
        return self.values_of(key)

    def unmake(self) -> str:
        if self.maker is None:
            return f"{self.title}: it was made by hand, so revoke it there"
        gone = self.maker.unmake(label(self.run))
        return f"{self.vendor} has revoked the key that it made" if gone else f"{self.vendor} has made no key"

    def set(self, change: Change, _scope: Scope) -> str:
        until(lambda: self.is_set(change), seconds=SOON, what=f"{self.vendor} does not accept the new key", pause=1.0)
        return f"{self.vendor} accepts it"

    def is_set(self, change: Change) -> bool:
        return not self._refuses(self.key_in(change.new))

    def test(self, change: Change) -> str:
        return self.use(self.key_in(change.new))

    def users_of_old(self, _change: Change) -> int:
        """Nobody of ours: every process was started with the new key."""
        return 0

    def withdraw(self, change: Change) -> str:
        if self.toggle is None:
            return f"{self.title}: that comes once the old one is forgotten" if self.maker else self.ending
        self.toggle.turn(self._tellable(change, self.toggle.is_on(self.key_in(change.old)) is not None), on=False)
        return f"{self.vendor} has switched the old key off"

    def is_withdrawn(self, change: Change) -> bool:
        return self.toggle is None or self.toggle.is_on(self.key_in(change.old)) is False or self._gone(change)

    def readmit(self, change: Change) -> str:
        if self.toggle is None:
            return f"{self.title}: nothing to take back"
        self.toggle.turn(self.key_in(change.old), on=True)
        return f"{self.vendor} has switched the old key on again"

    def note(self, change: Change) -> State:
        if self.maker is None:
            return {}
        found = self.maker.find(self.key_in(change.old), lambda told: self._is_label(told, change))
        self._tellable(change, found is not None)
        return {OLD: found}

    def remove(self, noted: State) -> str:
        if self.maker is None:
            return self.ending
        if noted.get(OLD):
            self.maker.remove(noted[OLD])
        return f"{self.vendor} has revoked the old key"

    def is_removed(self, noted: State) -> bool:
        return not (self.maker and noted.get(OLD)) or not self.maker.has(noted[OLD])

    def _made(self, maker: KeyMaker, old: Secret) -> Secret:
        try:
            return maker.make(label(self.run), old)
        except NotAllowed as refused:
            mend = (
                f"see what the administrator's key may do; or make one yourself: secrets.rotate {self.name} --command …"
            )
            raise SystemFault(
                refused.what, reason=refused.reason, where=refused.where, found=refused.found, mend=mend
            ) from refused

    def _is_label(self, told: str, change: Change) -> bool:
        """Whether a key of this label is the old one: its label names the run that made it."""
        run = told.removeprefix(OURS)
        return run != told and version_id(run, self.name) == change.old_ids.get(self.name)

    def _tellable(self, change: Change, found: bool) -> Secret:
        """The old key; raises NeedsPerson if it can't be told from others there, and is still accepted."""
        old = self.key_in(change.old)
        if not found and not self._refuses(old):
            raise NeedsPerson(
                f"the old key can't be told from others at {self.vendor}, so a person has to revoke it there",
                where=self.name,
                found="it is still accepted",
                mend=f"revoke it there, then: invoke secrets.resume {self.name}",
            )
        return old

    def _gone(self, change: Change) -> bool:
        assert self.toggle
        return self.toggle.is_on(self.key_in(change.old)) is None and self._refuses(self.key_in(change.old))

    def _refuses(self, key: Secret) -> bool:
        try:
            self.use(key)
        except KeyRefused:
            return True
        return False
