"""Whatever runs with the variables of one of the sandbox's environments: its application, each of its processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runbooks.engine.errors import SystemFault
from runbooks.engine.secret import Secret
from runbooks.sandbox.world import Sandbox


@dataclass(frozen=True)
class SandboxConsumers:
    """See `Consumers`."""

    sandbox: Sandbox
    name: str

    def renew(self) -> str:
        self.sandbox.restart(self.name)
        return f"the application of {self.name} runs with the new variables and answers"

    def renewed(self, values: Mapping[str, Secret]) -> bool:
        import psutil

        try:
            parent = psutil.Process(self.sandbox.manager.pid(self.sandbox.active_program(self.name)))
            for process in (parent, *parent.children(recursive=True)):
                given = process.environ()
                if any(given.get(name) != value.reveal() for name, value in values.items()):
                    return False
        except (psutil.Error, SystemFault):
            return False
        return self.sandbox.answers(self.name)
