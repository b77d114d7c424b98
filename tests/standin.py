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
            "sk-proj-narrow-01": {"scopes": ["model.request"]},
        }
    },
    "anthropic": {"keys": {"sk-ant-api03-good": {"workspace": "wrkspc_production"}}},
    "google": {"keys": {"AQ.good": {}, "AQ.other-api": {"disabled": True}}},
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
