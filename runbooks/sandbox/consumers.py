"""Whatever runs with the variables of one of the sandbox's environments: its host, and the sandbox's own memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runbooks.engine.secret import Secret
from runbooks.engine.step import Scope
from runbooks.sandbox.world import Sandbox
from runbooks.steps.rotation.kind import Change, Consumers


@dataclass(frozen=True)
class SandboxConsumers:
    """See `Consumers`. The sandbox writes variables anew whenever it starts, so it has to learn what they are now."""

    on_hosts: Consumers
    sandbox: Sandbox

    def renew(self, change: Change, scope: Scope) -> str:
        self.sandbox.write_variables()
        return self.on_hosts.renew(change, scope)

    def renewed(self, change: Change) -> bool:
        return self.on_hosts.renewed(change)

    def forget(self, values: Mapping[str, Secret], scope: Scope) -> str:
        return self.on_hosts.forget(values, scope)

    def forgotten(self, values: Mapping[str, Secret]) -> bool:
        return self.on_hosts.forgotten(values)
