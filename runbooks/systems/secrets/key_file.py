"""Versions of a secret that has a file of its own, such as a private key: CURRENT is what the file holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runbooks.engine.errors import InputError
from runbooks.engine.secret import Secret
from runbooks.systems.secrets.dotenv import read_private
from runbooks.systems.secrets.dotenv_versions import DotenvVersions


@dataclass(frozen=True)
class KeyFileVersions(DotenvVersions):
    """See `VersionStore` and `DotenvVersions`, which keeps the other versions in the same way.

    Attributes:
        name: What the secret is called; there is no other in the file.
    """

    name: str = "KEY"

    def refuse(self, name: str, _value: str) -> None:
        if name != self.name:
            raise InputError(f"{self.path} holds {self.name} and nothing else", where=name)

    def _values(self) -> Mapping[str, Secret]:
        return {self.name: Secret(self.name, read_private(self.path))} if self.path.exists() else {}

    def _text(self, values: Mapping[str, str]) -> str:
        return values[self.name]
