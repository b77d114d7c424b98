"""Variables as the application's settings read them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.secret import Secret


class Variables(ABC):
    """Reads single variables out of all that the application is deployed with."""

    @property
    @abstractmethod
    def variables(self) -> Mapping[str, Secret]:
        """All of them, by name."""

    @abstractmethod
    def fingerprint(self, text: str) -> str:
        """A keyed hash that tells equal values apart from different ones and nothing else."""

    def variables_fingerprint(self) -> str | None:
        """One keyed hash of all variables, or None without a key: two runs with the same one saw the same settings."""
        return self.fingerprint_of(self.variables)

    def fingerprint_of(self, variables: Mapping[str, Secret]) -> str | None:
        """The same of other variables than those of now."""
        try:
            pairs = sorted((name, secret.reveal()) for name, secret in variables.items())
            return self.fingerprint(repr(pairs))
        except InputError:
            return None

    def variable(self, name: str) -> str | None:
        """A variable that is no secret; None if it is not set."""
        secret = self.variables.get(name)
        return secret.reveal() if secret is not None else None

    def flag(self, name: str, *, default: bool) -> bool:
        """A variable as the application's settings read a truth value; ``default`` is the application's own.

        Raises:
            SystemFault: it is set to something that is neither true nor false.
        """
        text = self.variable(name)
        if text is None:
            return default
        if text.strip().lower() in ("1", "true", "t", "yes", "y", "on"):
            return True
        if text.strip().lower() in ("0", "false", "f", "no", "n", "off"):
            return False
        raise SystemFault(f"{name} is neither true nor false", reason=Reason.BAD_ANSWER, found=repr(text))

    def number(self, name: str, *, default: int) -> int:
        """A variable as a whole number; ``default`` is the application's own.

        Raises:
            SystemFault: it is set to something else.
        """
        text = self.variable(name)
        try:
            return default if text is None else int(text)
        except ValueError as error:
            raise SystemFault(f"{name} is not a whole number", reason=Reason.BAD_ANSWER, found=repr(text)) from error
