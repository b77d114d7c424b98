"""The sandbox for other users: root's own home is closed to the servers, and anybody else has no rights at all."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from runbooks.sandbox.layout import SERVICE_USER, STATE_FOLDER, Layout, can_enter
from runbooks.sandbox.leftovers import leftovers
from tests.conftest import CHECKOUT, Shell, new_project
from tests.crash.sandboxes import VERIFY, nothing_runs, succeeds
from tests.sandbox.servers import is_running_as_root, open_folder


@pytest.mark.slow
@pytest.mark.skipif(not is_running_as_root(), reason="only root can become somebody else")
def test_a_user_other_than_root_starts_verifies_and_stops() -> None:
    if not (can_enter(CHECKOUT, SERVICE_USER) and can_enter(Path(sys.executable).resolve().parent, SERVICE_USER)):
        pytest.skip(f"{SERVICE_USER} can't enter this checkout, or run its Python")
    with open_folder() as folder:
        other = Somebody(new_project(folder).project)
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, SERVICE_USER)
        try:
            succeeds(other, *VERIFY)
            owners = {process.username() for process in leftovers(prepare_as_seen(folder))}
            assert owners == {SERVICE_USER}
        finally:
            succeeds(other, "sandbox.down")
        assert leftovers(prepare_as_seen(folder)) == []


class Somebody(Shell):
    """Types as the service user."""

    def invoke(self, *words: str, **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "invoke", *words],
            cwd=CHECKOUT,
            env=self.environment() | {"HOME": str(self.project)},
            user=SERVICE_USER,
            extra_groups=[],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def prepare_as_seen(folder: Path) -> Layout:
    """The layout, without preparing it: that is for its owner."""
    return Layout((folder / "var" / "sandbox").resolve())


@pytest.mark.slow
@pytest.mark.skipif(not is_running_as_root(), reason="only root has a home that the servers' user can't enter")
def test_root_keeps_the_state_elsewhere_if_the_checkout_is_closed() -> None:
    with open_folder() as folder:
        closed = folder / "closed"
        closed.mkdir(mode=0o700)
        (closed / "checkout").mkdir()
        shell = new_project(closed / "checkout")
        link = shell.project / "var" / "sandbox"
        try:
            succeeds(shell, *VERIFY)
            root = link.readlink()
            assert root.parent == STATE_FOLDER
            assert (root / "state.json").is_file()
        finally:
            succeeds(shell, "sandbox.reset", "--confirm", "sandbox")
        nothing_runs(shell)
        assert not any(path.is_file() for path in root.rglob("*"))
        shutil.rmtree(root)
        with contextlib.suppress(OSError):
            STATE_FOLDER.rmdir()
