"""Means at the sandbox's edge: what the proxy serves, what the name server says, where PostgreSQL listens."""

from __future__ import annotations

from typing import Any

from runbooks.sandbox import postgres_server, proxy_server, zone
from runbooks.sandbox.environments import ENVIRONMENTS
from runbooks.sandbox.faults.fault import Means
from runbooks.sandbox.files import update_state
from runbooks.sandbox.ports import POSTGRES
from runbooks.sandbox.world import Sandbox


def proxy(**settings: Any) -> Means:
    """Set the proxy up otherwise; see `proxy_server.STATE` for what there is."""

    def set_up(sandbox: Sandbox, changed: dict[str, Any]) -> None:
        proxy_server.change(sandbox.layout, **changed)
        sandbox.manage_servers()
        proxy_server.ready(sandbox.numbers())

    return Means(
        lambda sandbox: set_up(sandbox, settings),
        lambda sandbox: set_up(sandbox, dict.fromkeys(settings)),
        restarts=False,
    )


def record(name: str, kind: str, *values: str) -> Means:
    """Publish other values for a name, or none."""
    return Means(
        lambda sandbox: zone.change(sandbox.layout, name, kind, values),
        lambda sandbox: zone.change(sandbox.layout, name, kind, None),
        restarts=False,
    )


def postgres_settings(**settings: str) -> Means:
    """Start PostgreSQL with other settings, and the applications anew after it."""

    def restart(sandbox: Sandbox, changed: dict[str, str]) -> None:
        update_state(sandbox.layout, postgres_server.STATE, changed)
        sandbox.manage_servers()
        postgres_server.ready(sandbox.layout, sandbox.numbers()[POSTGRES])
        for name in ENVIRONMENTS:
            sandbox.restart(name)

    return Means(lambda sandbox: restart(sandbox, settings), lambda sandbox: restart(sandbox, {}))
