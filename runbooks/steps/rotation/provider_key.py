"""A key at a provider of language models: made there by the operator, and accepted there before it is used."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.environment.site import Site
from runbooks.steps.rotation.kind import Change, Kind
from runbooks.systems.providers.api import KeyRefused
from runbooks.systems.providers.models import ModelProvider

HEALTH = "/health/providers"
VENDORS = ("openai", "anthropic", "google")


def variable(vendor: str) -> str:
    """The variable that holds the key."""
    return f"{vendor.upper()}_API_KEY"


@dataclass
class ProviderKey(Kind):
    """See `Kind`.

    Attributes:
        given: The new key, from the operator.
    """

    site: Site
    vendor: str
    given: Callable[[], Secret]

    def __post_init__(self) -> None:
        self.title = f"the key at {self.vendor}"
        self.names = (variable(self.vendor),)

    def plan(self) -> Iterator[str]:
        yield f"make the new key at {self.vendor} first, with the old one's rights; revoke the old one there afterwards"
        yield "it is asked for unseen, or printed by --command, and tried at the provider before anything is changed"

    def make(self, current: Mapping[str, Secret]) -> Mapping[str, Secret]:
        key = self.given()
        self.site.mask(key)
        if key == current[self.names[0]]:
            raise SystemFault("the key that was given is the one of now", reason=Reason.REFUSED, where=self.names[0])
        self._provider(key).models()
        return {self.names[0]: key}

    def test(self, change: Change) -> str:
        count = len(self._provider(change.new[self.names[0]]).models().names)
        return f"{self.vendor} accepts it, for {count} models"

    def prove(self, change: Change) -> str:
        told = self.site.application.get(HEALTH).object().get(self.vendor)
        if not (isinstance(told, Mapping) and told.get("ok") is True):
            what = f"the application can't use {self.vendor} with the new key"
            raise SystemFault(what, reason=Reason.FAILED, where=f"GET {HEALTH}")
        revoked = "is refused" if self._refuses(change.old[self.names[0]]) else "is still accepted: revoke it there"
        return f"the application reaches {self.vendor} with it; the old key {revoked}"

    def users_of_old(self, _change: Change) -> int:
        """Nobody of ours: every process was started with the new key."""
        return 0

    def _refuses(self, key: Secret) -> bool:
        try:
            self._provider(key).models()
        except KeyRefused:
            return True
        return False

    def _provider(self, key: Secret) -> ModelProvider:
        made: ModelProvider = getattr(self.site.vendors, self.vendor)(key)
        return made
