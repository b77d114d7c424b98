"""Each environment's host: this machine, with two slots, as `systems.hosts.slot_commands` describes one.

A deploy changes it through the platform's port, as it would any host. The sandbox itself changes only what lies in the
active slot, and starts that anew: its faults are other builds and other variables of what runs.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from runbooks.engine.atomic import write_atomically
from runbooks.engine.secret import Secret
from runbooks.sandbox import ports
from runbooks.sandbox.files import private_folder, write_private
from runbooks.sandbox.layout import Layout
from runbooks.sandbox.program import INTERPRETER
from runbooks.systems.hosts import slot_commands, slot_files
from runbooks.systems.platform.hosting import Placement, Release, Slot

OURS = "sandbox"
"""The run that a placement names where the sandbox made it."""

INSTALL = Path(__file__).with_name("install.py")


def active(layout: Layout, name: str) -> Slot:
    """The slot that the environment's requests go to; blue before the first release."""
    try:
        return Slot(layout.active(name).readlink().name)
    except (OSError, ValueError):
        return Slot.BLUE


def program(layout: Layout, name: str) -> str:
    """The program that runs in the active slot; its port has the same name."""
    return ports.application(name, active(layout, name))


def programs(name: str) -> list[str]:
    """Both slots' programs; their ports have the same names."""
    return [ports.application(name, slot) for slot in Slot]


def prepare(layout: Layout, name: str, numbers: Mapping[str, int]) -> None:
    """Have what a host holds before its first deploy: where its slots and its proxy listen, and how it is built on."""
    make_folders(layout, name)
    for slot in Slot:
        address = f"{ports.LOOPBACK}:{numbers[ports.application(name, slot)]}"  # Caddy takes it as it stands
        write_private(layout.slot(name, slot) / "address", address)
    write_private(layout.host(name) / "proxy", f"{ports.LOOPBACK}:{numbers[ports.PROXY]}\n")
    write_private(layout.host(name) / "start", slot_commands.START)
    install = layout.host(name) / "install"
    text = f"#!/bin/sh\nexec {shlex.quote(str(INTERPRETER))} -I {shlex.quote(str(INSTALL))}\n"
    if not install.exists() or install.read_text() != text:
        write_atomically(install, text.encode(), 0o700)


def make_folders(layout: Layout, name: str) -> None:
    """Have the folders, and an active slot."""
    for folder in (layout.environment(name), layout.host(name), layout.releases(name), layout.host(name) / "slots"):
        private_folder(folder)
    for slot in Slot:
        private_folder(layout.slot(name, slot))
    if not layout.active(name).is_symlink():
        _point(layout.active(name), f"slots/{Slot.BLUE}")


def lay(layout: Layout, name: str, folder: str) -> None:
    """Have a release lie in the active slot; the symlink alone says which one that is."""
    _point(layout.release(name), f"../../releases/{folder}")


def mark(tree: Path, commit: str) -> None:
    """Call a release whole."""
    marker = slot_files.marker(Release(commit, commit), datetime.now(UTC))
    write_private(tree / slot_commands.MARKER, f"{marker}\n")


def marked(tree: Path) -> Release | None:
    """The release that lies in this folder, if it is whole."""
    try:
        return slot_files.of_marker((tree / slot_commands.MARKER).read_text())
    except (OSError, ValueError, KeyError):
        return None


def fill(layout: Layout, name: str, variables: Mapping[str, str]) -> None:
    """Have the active slot start what lies there with these variables. Who placed a release stays who placed it."""
    slot, tree = layout.slot(name, active(layout, name)), layout.release(name).resolve()
    values = {key: Secret(key, value) for key, value in variables.items()}
    railway = tree / "railway.json"
    write_private(slot / "variables", slot_files.variables(values).decode())
    write_private(slot / "command", slot_files.start_command(railway.read_text(), str(railway)) + "\n")
    release = marked(tree) or Release(tree.name, tree.name)
    placed = slot / "placed"
    if not placed.exists() or json.loads(placed.read_text()).get("release") != release.id:
        write_private(placed, slot_files.placed(Placement(release, OURS)) + "\n")


def outdated(layout: Layout, name: str, pid: int) -> bool:
    """Whether this process was started before what lies in the active slot was put there."""
    import psutil

    slot = layout.slot(name, active(layout, name))
    try:
        process = psutil.Process(pid)
        started, folder = process.create_time(), Path(process.cwd())
    except psutil.Error:
        return False  # it has just ended, and is started anew
    filled = max((slot / file).stat().st_mtime for file in ("variables", "command"))
    return started < filled or folder != layout.release(name).resolve()


def _point(link: Path, target: str) -> None:
    new = link.with_name(f".{link.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(link)
