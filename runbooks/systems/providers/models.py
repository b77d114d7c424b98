"""What a check asks of a provider of language models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Models:
    """The models that a key may use.

    Attributes:
        names: As requests name them.
        endings: The day on which a model ends, as the vendor writes it, for those that it says it of.
    """

    names: frozenset[str]
    endings: Mapping[str, str] = field(default_factory=dict)


class ModelProvider(Protocol):
    """Asked with the application's key; that costs nothing."""

    def models(self) -> Models:
        """The models that the key may use.

        Raises:
            KeyRefused: the vendor does not know the key.
            NotAllowed: it does, and the key may not list models.
            SystemFault: anything else.
        """
        ...

    def has_model(self, name: str) -> bool:
        """Whether there is a model of this name; lists leave aliases out."""
        ...
