"""A secret is a type: it can be handed on and compared, but printing it shows its name only."""

from __future__ import annotations

import hmac


class Secret:
    """A named secret value. ``str``, ``repr`` and f-strings show the name; only `reveal` gives the value."""

    __slots__ = ("_value", "name")

    def __init__(self, name: str, value: str) -> None:
        self.name = name
        self._value = value

    def reveal(self) -> str:
        """The value itself. Call it where the value is used, never where something is written."""
        return self._value

    def __repr__(self) -> str:
        return f"<secret {self.name}>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._bytes(), other._bytes())

    def _bytes(self) -> bytes:
        return self._value.encode(errors="surrogateescape")  # a variable's bytes need not be UTF-8

    def __hash__(self) -> int:
        return hash((Secret, self.name))

    def __reduce__(self) -> tuple[object, ...]:
        msg = f"secret {self.name} must not be pickled"
        raise TypeError(msg)
