"""A real systemd in namespaces of its own, with one unit: nothing of this machine's is started, stopped or seen."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from runbooks.engine.errors import SystemFault
from runbooks.engine.wait import until
from runbooks.systems.hosts.runner import Done, Local

SYSTEMD = Path("/lib/systemd/systemd")
UNIT = "praviel.service"
BOOT = """\
set -e
mount --make-rprivate /
for folder in /run /var/log /etc/systemd/system; do mount -t tmpfs tmpfs $folder; done
mkdir -p /run/systemd/system
cp "$1"/* /etc/systemd/system/
exec env container=lxc /lib/systemd/systemd --system --unit=probe.target --show-status=no
"""
TARGET = """\
[Unit]
DefaultDependencies=no
Wants=systemd-journald.service praviel.service
After=systemd-journald.service
"""
SERVICE = r"""
[Unit]
DefaultDependencies=no
After=systemd-journald.service
StartLimitBurst=7
[Service]
ExecStart=/bin/sh -c 'echo began; printf "two\\nlines\\377\\n"; exec sleep 600'
Restart=on-failure
RestartSec=100ms
TimeoutStopSec=95
KillSignal=SIGINT
MemoryMax=2G
LimitNOFILE=4096
"""


def missing() -> str:
    """Why none can be started here; empty if one can."""
    if os.geteuid() != 0:
        return "namespaces are made by root"
    lacking = [name for name in (str(SYSTEMD), "unshare", "nsenter", "systemctl") if shutil.which(name) is None]
    return f"not here: {', '.join(lacking)}" if lacking else ""


@dataclass(frozen=True)
class Inside:
    """Runs commands where that systemd is process 1."""

    pid: int
    name: str = "the booted host"

    def run(self, argv: Sequence[str], *, seconds: float = 10) -> Done:
        return Local(self.name).run(["nsenter", f"--target={self.pid}", "--pid", "--mount", *argv], seconds=seconds)


@contextlib.contextmanager
def booted(folder: Path) -> Iterator[Inside]:
    """A host whose unit runs; everything of it ends with the block."""
    units = folder / "units"
    units.mkdir()
    (units / "probe.target").write_text(TARGET)
    (units / UNIT).write_text(SERVICE)
    namespaces = ["--fork", "--pid", "--mount", "--uts", "--ipc", "--cgroup", "--mount-proc", "--kill-child"]
    with (folder / "boot.log").open("wb") as log:
        process = subprocess.Popen(
            ["unshare", *namespaces, "sh", "-c", BOOT, "sh", str(units)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        yield _once_it_runs(process.pid, folder / "boot.log")
    finally:
        process.kill()  # --kill-child: process 1 goes with it, and everything with that
        process.wait(20)


def _once_it_runs(starter: int, log: Path) -> Inside:
    def host() -> Inside | None:
        children = psutil.Process(starter).children()
        if not children or children[0].name() != "systemd":
            return None
        inside = Inside(children[0].pid)
        return inside if inside.run(["systemctl", "is-active", UNIT]).status == 0 else None

    try:
        found = until(host, seconds=60, what="systemd did not start its unit", ignoring=(psutil.Error,))
    except SystemFault as fault:
        raise AssertionError(f"{fault}\n{log.read_text()}") from fault
    assert found is not None
    return found
