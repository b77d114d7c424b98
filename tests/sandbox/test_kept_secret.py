"""The sandbox's secrets: in owner-only files, and nowhere else that anybody could look."""

from __future__ import annotations

import contextlib
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbooks.environment.sensitive import sensitive
from runbooks.sandbox.environments import ENVIRONMENTS
from runbooks.sandbox.layout import Layout, prepare
from runbooks.systems.secrets.dotenv import DotenvSource
from tests.conftest import Shell
from tests.crash.sandboxes import project, succeeds


@pytest.fixture
def fresh(installed: Layout) -> Iterator[Shell]:
    """A project that was never started, with PostgreSQL unpacked."""
    with project(installed) as shell:
        yield shell


class ProcessList(threading.Thread):
    """Everything that was ever seen in the machine's process list while it looked."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seen: set[str] = set()
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(0.005):
            for file in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    self.seen.add(file.read_text(errors="replace"))

    def stop(self) -> None:
        self._over.set()
        self.join()


@pytest.mark.slow
def test_secrets_are_in_owner_only_files_and_nowhere_else(fresh: Shell) -> None:
    looking = ProcessList()
    looking.start()
    try:
        succeeds(fresh, "sandbox.up")
        printed = succeeds(fresh, "release.verify")
    finally:
        looking.stop()
    layout = prepare(fresh.project)
    hidden = secrets_of(layout)
    assert len(hidden) >= 10
    assert any("uvicorn" in line for line in looking.seen)

    assert [name for name, value in hidden.items() if any(value in line for line in looking.seen)] == []
    written = {
        path: path.read_text(errors="replace")
        for path in (fresh.project / "var" / "runs").rglob("*.*")
        if path.is_file()
    }
    written |= {path: path.read_text(errors="replace") for path in layout.logs.iterdir()}
    written |= {Path("terminal"): printed}
    assert [(name, path) for name, value in hidden.items() for path, text in written.items() if value in text] == []

    holders = [path for path in layout.root.rglob("*") if is_ours(path, layout) and holds(path, hidden)]
    assert {layout.variables(name) for name in ENVIRONMENTS} < set(holders)
    assert {path: oct(path.stat().st_mode) for path in holders if stat.S_IMODE(path.stat().st_mode) != 0o600} == {}
    for folder in (layout.environments, *map(layout.environment, ENVIRONMENTS), layout.provider, layout.programs):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def secrets_of(layout: Layout) -> dict[str, str]:
    """Every secret value that the sandbox has made, by where it is."""
    found = {
        "superuser": layout.postgres_password.read_text(),
        "valkey": layout.valkey_password.read_text(),
        "supervisor": layout.supervisor_client.read_text(),
    }
    for name in ENVIRONMENTS:
        for path in (layout.variables(name), layout.operator_variables(name)):
            for secret in sensitive(DotenvSource(path).load()):
                found[f"{path.name} of {name}: {secret.name}"] = secret.reveal()
        found[f"resident of {name}"] = (layout.environment(name) / "resident-password").read_text()
    return found


def is_ours(path: Path, layout: Layout) -> bool:
    return path.is_file() and not path.is_symlink() and layout.postgres_installs not in path.parents


def holds(path: Path, hidden: dict[str, str]) -> bool:
    body = path.read_bytes()
    return any(value.encode() in body for value in hidden.values())


# --- reset, break, mend
