"""Secrets in the environment variables that this process was started with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from runbooks.engine.secret import Secret


@dataclass(frozen=True)
class ProcessEnvironmentSource:
    """Takes the variables whose name begins with `prefix`, under the rest of that name."""

    environ: Mapping[str, str]
    prefix: str = ""

    @property
    def origin(self) -> str:
        """What to call this source in a message."""
        return f"environment variables {self.prefix}*" if self.prefix else "environment variables"

    def load(self) -> Mapping[str, Secret]:
        """The values by name, as they were when first asked."""
        return self._values

    @cached_property
    def _values(self) -> Mapping[str, Secret]:
        chosen = (name for name in self.environ if name.startswith(self.prefix) and name != self.prefix)
        secrets = (Secret(name.removeprefix(self.prefix), self.environ[name]) for name in chosen)
        return {secret.name: secret for secret in secrets}
