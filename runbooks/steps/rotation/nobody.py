"""What nobody but this tool runs with: there is nothing to start anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runbooks.engine.secret import Secret
from runbooks.engine.step import Scope
from runbooks.steps.rotation.kind import Change


@dataclass(frozen=True)
class Nobody:
    """See `Consumers`."""

    def renew(self, _change: Change, _scope: Scope) -> str:
        return "nothing runs with it"

    def renewed(self, _change: Change) -> bool:
        return True

    def forget(self, _values: Mapping[str, Secret], _scope: Scope) -> str:
        return "it lies nowhere else"

    def forgotten(self, _values: Mapping[str, Secret]) -> bool:
        return True
