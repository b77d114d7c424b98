"""A key at a provider of language models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.steps.rotation.kind import Change
from runbooks.steps.rotation.vendor_key import VendorKey
from runbooks.systems.providers.models import ModelProvider

HEALTH = "/health/providers"


@dataclass
class ProviderKey(VendorKey):
    """See `VendorKey`."""

    def use(self, key: Secret) -> str:
        provider: ModelProvider = getattr(self.site.vendors, self.vendor)(key)
        return f"{self.vendor} accepts it, for {len(provider.models().names)} models"

    def prove(self, change: Change) -> str:
        told = self.site.application.get(HEALTH).object().get(self.vendor)
        if not (isinstance(told, Mapping) and told.get("ok") is True):
            what = f"the application can't use {self.vendor} with the new key"
            raise SystemFault(what, reason=Reason.FAILED, where=f"GET {HEALTH}")
        refused = " already" if self._refuses(change.old[self.name]) else " not yet"
        return f"the application reaches {self.vendor} with it; the old key is refused{refused}"
