"""Keys that a vendor makes and revokes by its API, so that nobody has to copy one out of a dashboard.

A key that is made carries a label. Its value is told once, in the answer: where that was lost because the process died,
the next call with the same label revokes the key whose value nobody has, and makes another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from runbooks.engine.secret import Secret

OURS = "runbooks "
"""What the labels of keys that were made here begin with."""


def label(run: str) -> str:
    """What a key is called that this run makes."""
    return f"{OURS}{run}"


class KeyMaker(Protocol):
    """Asked with a key that may administer keys.

    The methods raise KeyRefused where the vendor does not know a key that it is asked with, NotAllowed where the
    administrator's key may not do this, SystemFault for anything else.
    """

    def make(self, label: str, like: Secret) -> Secret:
        """A new key that may do what `like` may; what was made under this label before is revoked."""
        ...

    def unmake(self, label: str) -> bool:
        """Revoke what was made under this label; whether there was anything."""
        ...

    def find(self, key: Secret, is_its_label: Callable[[str], bool]) -> str | None:
        """What the vendor calls this key, which is no secret; None: it is gone, or can't be told from others.

        Args:
            is_its_label: Whether a label is the one that this key was made under, if it was made here.
        """
        ...

    def has(self, id: str) -> bool:
        """Whether the vendor still has what `find` told."""
        ...

    def remove(self, id: str) -> None:
        """Have what `find` told refused from now on; nothing happens if it is gone."""
        ...


class KeySwitch(Protocol):
    """The same of a vendor whose API makes no keys, but switches them off and on. Raises as `KeyMaker`."""

    def is_on(self, key: Secret) -> bool | None:
        """Whether it is switched on; None: it is not there, or can't be told from others."""
        ...

    def turn(self, key: Secret, *, on: bool) -> None:
        """Switch it; one that can't be told from others is left alone."""
        ...
