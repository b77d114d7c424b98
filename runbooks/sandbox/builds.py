"""How the sandbox builds releases: measured, given up after a while, and recorded per environment."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from runbooks.engine.errors import Reason, SystemFault
from runbooks.sandbox.files import write_private
from runbooks.sandbox.layout import Layout
from runbooks.sandbox.program import DEFAULT_PATH

TIMEOUT = 10
"""Seconds. The same stands in the inventories of the sandbox's environments."""

KEPT = 20
"""Records; older ones are dropped."""


@dataclass
class Recording:
    """The build that goes on; ``release`` becomes its commit as soon as that is known."""

    release: str
    log: Path


@contextmanager
def recorded(layout: Layout, name: str, release: str) -> Iterator[Recording]:
    """Measure what is built during the block for an environment, and record how it ended."""
    recording = Recording(release, layout.build_log(name))
    started, began, succeeded = datetime.now(UTC), time.monotonic(), False
    recording.log.write_text(f"{started.isoformat(timespec='seconds')} building {release}\n")
    try:
        yield recording
        succeeded = True
    finally:
        record = {
            "release": recording.release,
            "started": started.isoformat(timespec="milliseconds"),
            "seconds": round(time.monotonic() - began, 3),
            "succeeded": succeeded,
            "log": str(recording.log),
        }
        _write(layout, name, [*_records(layout, name)[1 - KEPT :], json.dumps(record)])


def forget(layout: Layout, name: str, release: str) -> None:
    """Drop the records of a release's builds, as one deletes a deployment."""
    _write(layout, name, [line for line in _records(layout, name) if json.loads(line)["release"] != release])


def run_command(tree: Path, log: Path) -> None:
    """Run what the release's railway.json builds it with, if anything; its output goes to the log.

    Raises:
        SystemFault: it failed, or took longer than `TIMEOUT`.
    """
    command = json.loads((tree / "railway.json").read_text()).get("build", {}).get("buildCommand")
    if not command:
        return
    with log.open("a") as output:
        try:
            status = subprocess.run(
                ["/bin/sh", "-c", command],
                cwd=tree,
                env={"PATH": DEFAULT_PATH},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=TIMEOUT,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired as error:
            what = f"the build did not end within {TIMEOUT} s"
            raise SystemFault(what, reason=Reason.TIMED_OUT, where=str(log)) from error
    if status != 0:
        raise SystemFault("the build failed", reason=Reason.FAILED, where=str(log), found=f"exit status {status}")


def _records(layout: Layout, name: str) -> list[str]:
    path = layout.builds(name)
    return path.read_text().splitlines() if path.exists() else []


def _write(layout: Layout, name: str, records: list[str]) -> None:
    write_private(layout.builds(name), "".join(f"{record}\n" for record in records))
