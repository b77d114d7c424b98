"""What a key of an inventory may hold in place of a plain text: the name of a value that is kept elsewhere."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SecretRef:
    """The value that the ``[secrets]`` source holds under this name."""

    secret: str


@dataclass(frozen=True, slots=True)
class VariableRef:
    """The value that the application's ``[variables]`` source holds under this name."""

    variable: str


Value = str | SecretRef | VariableRef
"""Text that stands in the inventory itself, or the name of a value that is kept elsewhere."""
