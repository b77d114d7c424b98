"""What is particular to one kind of secret; the protocol asks it in the order of these methods."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from runbooks.engine.secret import Secret
from runbooks.engine.step import Scope, State


@dataclass(frozen=True)
class Change:
    """The values before and after, by the variable's name.

    Attributes:
        since: When the new ones were made; None: they had been there before.
        back: Whether this is the way back: what was old is new again.
        old_ids: What `version_id` gave for the run that made an old value; None: not known.
    """

    old: Mapping[str, Secret]
    new: Mapping[str, Secret]
    since: datetime | None = None
    back: bool = False
    old_ids: Mapping[str, str | None] = field(default_factory=dict)

    def reversed(self) -> Change:
        """The way back from it."""
        return Change(old=self.new, new=self.old, back=not self.back)


class Kind(ABC):
    """A kind of secret. Every effect can be repeated, and each has what tells whether it happened.

    The methods raise SystemFault where a system can't be asked or refuses, InputError where the inventory is wrong.

    Attributes:
        title: What it is, for people.
        names: The variables that change together; the first one names the rotation.
    """

    title: str
    names: tuple[str, ...]
    deployed: bool = True
    """Whether the application runs with it; else this tool alone uses it."""
    ending: str = "the old one is nowhere accepted"
    """What became of the old value, at the end of a rotation."""

    def ask(self) -> None:
        """Have a person give what only he can, ahead of the lease."""
        return

    def cost(self) -> int | None:
        """How many users it logs out, which has to be accepted by typing it; None: nobody."""
        return None

    def plan(self) -> Iterator[str]:
        """What it does to users, and for how long old and new are valid together."""
        yield from ()

    def look(self, current: Mapping[str, Secret]) -> str:
        """Refuse before anything is made, if the secret can't be rotated now."""
        return f"{', '.join(current)}: there, and of a form that can be rotated"

    @abstractmethod
    def make(self, current: Mapping[str, Secret]) -> Mapping[str, Secret]:
        """New values."""

    def unmake(self) -> str:
        """Remove what `make` made elsewhere and nobody uses, also where its value was lost."""
        return f"{self.title}: nothing was made elsewhere"

    def set(self, _change: Change, _scope: Scope) -> str:
        """Have the system accept the new value, beside the old one where it can."""
        return f"{self.title}: nobody but the application has to know it"

    def is_set(self, _change: Change) -> bool:
        """Whether the system accepts the new value."""
        return True

    def unset(self, _change: Change) -> str:
        """Have the system as it was ahead of `set`: the old value is accepted, the new one is not."""
        return f"{self.title}: nothing to take back"

    @abstractmethod
    def test(self, change: Change) -> str:
        """Use the new value as the application will."""

    def switch(self, _change: Change) -> str:
        """What old and new can't both be right for: done just ahead of the restart with the new value."""
        return f"{self.title}: nothing has to change together with the application"

    def is_switched(self, _change: Change) -> bool:
        """Whether `switch` has happened."""
        return True

    def switch_back(self, _change: Change) -> str:
        """Take `switch` back."""
        return f"{self.title}: nothing to take back"

    def settle(self, _change: Change) -> str:
        """Once the application runs with the new value: mend what it did with the old one after `switch`."""
        return f"{self.title}: nothing to mend"

    def settle_back(self, _change: Change) -> str:
        """Once the application runs with the old value again: mend what it did with the new one."""
        return f"{self.title}: nothing to mend"

    @abstractmethod
    def prove(self, change: Change) -> str:
        """Have the application, which now runs with the new value, do what it needs it for; changes nothing."""

    def in_use(self, _change: Change, _since: datetime) -> bool | None:
        """Whether nobody can run with anything but the new value, by what is seen from outside; None: it can't be told.

        Args:
            _since: From when on no new connection can have been opened with the old value.
        """
        return None

    @abstractmethod
    def users_of_old(self, change: Change) -> int:
        """How many still use the old value."""

    def withdraw(self, _change: Change) -> str:
        """Have the system refuse the old value."""
        return f"{self.title}: the old value is refused everywhere already"

    def is_withdrawn(self, _change: Change) -> bool:
        """Whether the system refuses the old value."""
        return True

    def readmit(self, _change: Change) -> str:
        """Take `withdraw` back."""
        return f"{self.title}: nothing to take back"

    def note(self, _change: Change) -> State:
        """What it takes to remove the old value where it was made, once it's forgotten here. No secret: it is recorded.

        Raises:
            NeedsPerson: it can't be told there from others.
        """
        return {}

    def remove(self, _noted: State) -> str:
        """Remove the old value where it was made."""
        return f"{self.title}: there is nothing to remove elsewhere"

    def is_removed(self, _noted: State) -> bool:
        """Whether `remove` has happened."""
        return True

    def tidy(self) -> str:
        """Remove what was only needed for the way back, once there is none."""
        return f"{self.title}: nothing is left over"

    def is_tidied(self) -> bool:
        """Whether nothing is left over."""
        return True


class Consumers(Protocol):
    """Whatever runs with the variables."""

    def renew(self, change: Change, scope: Scope) -> str:
        """Have each of them run with the new values, whatever it was killed at before.

        Raises:
            SystemFault: one does not come up.
            NeedsPerson: only a person can do that.
        """

    def renewed(self, change: Change) -> bool:
        """Whether every one of them runs with the new values, by evidence; what can't be seen is not so."""

    def forget(self, values: Mapping[str, Secret], scope: Scope) -> str:
        """Once there is no way back: have no other values than these lie where they could be started with."""

    def forgotten(self, values: Mapping[str, Secret]) -> bool:
        """Whether none do."""
