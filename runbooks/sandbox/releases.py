"""The releases that the sandbox's environments run: placed, told apart, and run in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runbooks.engine.errors import Reason, SystemFault
from runbooks.sandbox import builds, slots
from runbooks.sandbox.files import locked, read_state, update_state
from runbooks.sandbox.layout import Layout
from runbooks.sandbox.leftovers import MARKER
from runbooks.sandbox.program import DEFAULT_PATH, INTERPRETER

RELEASES = "releases"
"""The entry of the sandbox's state that says of each commit which release it is, and built with which fault."""

INTERPRETER_VARIABLES = {
    "PATH": f"{Path(sys.executable).parent}:{DEFAULT_PATH}",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
}
"""Let a release's commands (``alembic``, ``uvicorn``) be found beside our own interpreter."""


def deployed(layout: Layout, name: str) -> dict[str, Any]:
    """``revision``, ``fault`` and ``commit`` of the release that the environment runs; empty before the first."""
    from runbooks.sandbox import repository

    release = slots.marked(layout.release(name))
    if release is None:
        return {}
    known = read_state(layout).get(RELEASES, {}).get(release.commit)
    if known is None and release.id != release.commit:  # a deploy built it
        known = {"revision": repository.name_of(layout.repository, release.commit), "fault": None}
    return {} if known is None else {**known, "commit": release.commit}


def place(layout: Layout, name: str, revision: str, fault: str | None) -> None:
    """Put a release where the environment's application is started from.

    The symlink alone says which one that is; a kill at any point leaves the one before or the new one.
    """
    with locked(layout.root / ".releases.lock", seconds=120):
        slots.make_folders(layout, name)
        with builds.recorded(layout, name, f"{revision} {fault or ''}".strip()) as recording:
            commit = _checked_out(layout, name, revision, fault, recording)
        tree = layout.releases(name) / commit
        if slots.marked(tree) is None:  # not part of what the build is timed for
            _install(name, tree)
            slots.mark(tree, commit)
        known = read_state(layout).get(RELEASES, {})
        update_state(layout, RELEASES, known | {commit: {"revision": revision, "fault": fault}})
        slots.lay(layout, name, commit)


def _checked_out(layout: Layout, name: str, revision: str, fault: str | None, recording: builds.Recording) -> str:
    """Have the release's folder, whole; its commit. What an earlier, killed attempt left is cleared away."""
    from runbooks.sandbox import repository

    folder = layout.releases(name)
    for scratch in (*folder.glob(".?*"), *layout.root.glob(".repository-*")):
        shutil.rmtree(scratch, ignore_errors=True)
    repository.build(layout.repository)
    with tempfile.TemporaryDirectory(prefix=".", dir=folder) as aside:
        tree = Path(aside, "tree")
        commit = recording.release = repository.checkout(layout.repository, revision, tree, fault)
        builds.run_command(tree, recording.log)
        if slots.marked(folder / commit) is None:
            shutil.rmtree(folder / commit, ignore_errors=True)
            tree.rename(folder / commit)
    return commit


def _install(name: str, tree: Path) -> None:
    """Make the release's virtual environment, where it will lie: its scripts name their interpreter by its path."""
    argv = [str(INTERPRETER), "-I", str(slots.INSTALL)]
    done = subprocess.run(argv, cwd=tree, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        what = "the release's virtual environment can't be made"
        raise SystemFault(what, reason=Reason.FAILED, where=f"{tree} of {name}", found=done.stderr.strip()[-500:])


def run(layout: Layout, name: str, arguments: Sequence[str], variables: Mapping[str, str], seconds: float) -> str:
    """Run a Python module of the environment's release with these variables; what it printed.

    It ends with us: a migration that went on after a kill would meet the next command's.

    Raises:
        SystemFault: it failed, or did not end in time.
    """
    package = __package__.partition(".")[0]
    argv = [sys.executable, "-m", f"{package}.sandbox.tied", str(os.getpid()), *arguments]
    try:
        done = subprocess.run(
            argv,
            cwd=layout.release(name).resolve(),
            env={**variables, **INTERPRETER_VARIABLES, MARKER: str(layout.root)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        what = f"{' '.join(arguments)} did not end"
        raise SystemFault(what, reason=Reason.TIMED_OUT, where=name) from error
    if done.returncode != 0:
        raise SystemFault(
            f"{' '.join(arguments)} failed",
            reason=Reason.FAILED,
            where=str(layout.release(name)),
            found=(done.stderr or done.stdout).strip()[-500:],
        )
    return done.stdout
