"""A sandbox of its own to deploy to, as the session's must go on running what it runs; and what must hold after."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import httpx

from runbooks.sandbox import releases
from runbooks.sandbox.layout import Layout, prepare
from runbooks.sandbox.world import Sandbox
from runbooks.systems.releases.history import History
from runbooks.systems.releases.ledger import Releases
from runbooks.systems.store.folder import FolderStore
from tests.conftest import Shell, new_project
from tests.crash.sandboxes import kill_all, only_run, succeeds
from tests.sandbox.servers import link_installed, open_folder

FIRST = "20251030_add_hnsw_vector_indexes"
"""Where the first release's migrations end."""

PATIENT: Mapping[str, float] = {
    "gate_seconds": 120.0,
    "bake_seconds": 1.0,
    "bake_probes": 20,
    "latency_floor_ms": 8000.0,
}
"""What a deploy asks of a release here: a good one must not fail because the machine is busy with something else."""


@dataclass(frozen=True)
class Place:
    """Where releases are deployed to."""

    shell: Shell

    def history(self) -> History:
        return Releases(FolderStore(self.shell.project / "var" / "store" / "local")).history()

    def version(self) -> str:
        """What the ledger says runs."""
        current = self.history().current
        return current.version if current else ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{Sandbox.of(self.shell.project).port('local')}"

    def deploy(self, ref: str, *, code: int = 0) -> str:
        """``release.deploy``: what was printed."""
        return succeeds(self.shell, "release.deploy", "--ref", ref, code=code)

    def declare(self, **asked: float | Sequence[str]) -> None:
        """Change what a deploy asks of a release, in the inventory's table ``[deploy]``."""
        file = self.shell.project / "inventory" / "local" / "environment.toml"
        text = file.read_text()
        for key, value in asked.items():
            line = f"{key} = {json.dumps(value)}"
            text, count = re.subn(rf"^{key} = .*$", line, text, flags=re.MULTILINE)
            text = text if count else text.replace("[deploy]\n", f"[deploy]\n{line}\n")
            assert count <= 1, f"{key} stands {count} times in {file}"
        file.write_text(text)

    def back_to_first(self) -> None:
        """The first release runs again over its own schema, ahead of the ledger: there is a migration to do."""
        sandbox = Sandbox.of(self.shell.project)
        downgrade = ["alembic", "downgrade", FIRST]
        releases.run(sandbox.layout, "local", downgrade, sandbox.variables("local"), seconds=60)
        sandbox.deploy("local", "v1")
        shutil.rmtree(self.shell.project / "var" / "store" / "local" / "releases", ignore_errors=True)

    def last_run(self) -> str:
        return only_run(self.shell, "release.deploy")

    def is_consistent(self) -> None:
        """Ledger, hosts and schema agree, and the application answers."""
        said = succeeds(self.shell, "release.status")
        assert said.endswith("CONSISTENT local (sandbox)\n")
        assert httpx.get(f"{self.url}/health", timeout=20).json()["status"] == "ok"
        assert httpx.get(f"{self.url}/health/db", timeout=20).json()["status"] == "ok"


@contextlib.contextmanager
def place(installed: Layout) -> Iterator[Place]:
    """A sandbox that runs the first release."""
    with open_folder() as folder:
        shell = new_project(folder, rehearsed=False)
        link_installed(installed, prepare(folder))
        try:
            succeeds(shell, "sandbox.up")
            made = Place(shell)
            made.declare(**PATIENT)
            yield made
        finally:
            kill_all(shell)
