"""The third parties' stand-in as its own process on a free port, for tests that need no sandbox."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from runbooks.engine.wait import until
from tests.servers import LOOPBACK, closed_port

ACCOUNTS: dict[str, Any] = {
    "openai": {
        "keys": {
            "sk-proj-good-0001": {"project": "proj_production"},
            "sk-proj-narrow-01": {"project": "proj_production", "scopes": ["model.request"]},
        },
        "admin_keys": ["sk-admin-good-001"],
        "projects": {
            "proj_production": {
                "spent": 12.5,
                "rate_limits": {"gpt-5-nano-2025-08-07": 500},
                "spend_limit": 100,
                "spend_alerts": [80],
            },
            "proj_staging": {"spent": 1.25},
        },
    },
    "anthropic": {
        "keys": {"sk-ant-api03-good-0001": {"workspace": "wrkspc_production"}},
        "admin_keys": ["sk-ant-admin01-good"],
        "rate_limits": {"claude-sonnet-4-5-20250929": 4000, "claude-haiku-4-5-20251001": 2000},
        "workspaces": {
            "wrkspc_production": {"spent": 7.25, "rate_limits": {"claude-sonnet-4-5-20250929": 50}},
            "wrkspc_staging": {"spent": 1},
        },
    },
    "google": {"keys": {"AQ.good-0001": {}, "AQ.other-api": {"disabled": True}}},
    "sendgrid": {
        "keys": {"SG.good-0001": {}, "SG.send-only": {"scopes": ["mail.send"]}, "SG.no-mail-0": {"scopes": []}},
        "domains": [{"name": "praviel.test"}, {"name": "new.test", "status": "pending"}],
    },
    "mailgun": {
        "keys": {"mg-good-0001": {}, "mg-send-only": {"sends": "praviel.test"}},
        "domains": [
            {"name": "praviel.test"},
            {"name": "new.test", "status": "pending"},
            {"name": "sandbox1.test", "type": "sandbox"},
        ],
    },
    "postmark": {
        "keys": {"pm-good-0001": {}, "pm-sandbox-1": {"delivery": "Sandbox"}},
        "admin_keys": ["pm-account-1"],
        "domains": [{"name": "praviel.test"}, {"name": "new.test", "status": "pending"}],
    },
    "aws_ses": {
        "keys": {"AKIAGOOD0001": {}, "AKIADENIED01": {"denied": True}},
        "domains": [{"name": "praviel.test"}, {"name": "new.test", "status": "pending"}],
    },
    "resend": {
        "keys": {"re_full": {}, "re_send": {"permission": "sending_access"}},
        "domains": [{"name": "praviel.test"}, {"name": "new.test", "status": "pending"}],
    },
}


class Provider:
    """A running stand-in and its state folder."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.http = httpx.Client(base_url=url, timeout=10, trust_env=False)

    def write(self, name: str, content: dict[str, Any]) -> None:
        (self.folder / name).write_text(json.dumps(content), encoding="utf-8")

    def tell(self, vendor: str, **behaviour: Any) -> None:
        """Have one vendor answer otherwise."""
        self.write("behaviour.json", {vendor: behaviour})

    def lines(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / name).read_text(encoding="utf-8").splitlines()]

    def reset(self) -> None:
        """The accounts of above, and every vendor as usual."""
        self.write("accounts.json", ACCOUNTS)
        self.write("behaviour.json", {})
        for name in ("requests.jsonl", "mails.jsonl"):
            (self.folder / name).unlink(missing_ok=True)

    def ready(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return self.http.get("/ready").status_code == 200
        return False


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Provider]:
    """A stand-in that keeps its state in this folder."""
    port = closed_port()
    command = [sys.executable, "-m", "runbooks.sandbox.provider", "--port", str(port), "--state", str(folder)]
    process = subprocess.Popen(command)
    provider = Provider(f"http://{LOOPBACK}:{port}", folder)
    try:
        until(lambda: provider.ready() or process.poll() is not None, seconds=20, what="the stand-in did not answer")
        if process.returncode is not None:
            pytest.fail("the stand-in ended")
        yield provider
    finally:
        provider.http.close()
        process.terminate()
        process.wait(timeout=10)
