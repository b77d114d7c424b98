"""What a deploy does on one host, over `Ssh`: deploy_work.py KEYS PORT ROOT SUPERVISOR REPOSITORY COMMIT."""

from __future__ import annotations

import getpass
import sys
import time
from functools import partial
from pathlib import Path

import httpx

from runbooks.systems.hosts.fleet import Fleet
from runbooks.systems.hosts.slot_build import Recipe
from runbooks.systems.hosts.slot_host import SlotHost
from runbooks.systems.hosts.ssh import Login, Ssh
from runbooks.systems.hosts.supervisor_control import SupervisorControl
from runbooks.systems.platform.hosting import Placement, Release
from runbooks.systems.source import archive
from tests.hosts import VARIABLES


def deploy(keys: Path, port: str, root: str, supervisor: str, repository: Path, commit: str) -> None:
    ssh = Ssh(Login(f"{getpass.getuser()}@127.0.0.1:{port}", keys / "known_hosts", keys / "user"))
    recipe = Recipe(partial(archive.stream, repository), sys.executable, f"{root}/install")
    fleet = Fleet({ssh.name: SlotHost(ssh, root, SupervisorControl(ssh, supervisor, "shop"), recipe)})
    release, change = Release(f"ours-{time.time_ns()}", commit), fleet.changes(1)
    change.claim(ssh.name)
    slot = fleet.observe(ssh.name).idle
    change.build(ssh.name, release, say=lambda _: None)
    change.stop(ssh.name, slot)
    change.place(ssh.name, slot, Placement(release, release.id), VARIABLES)
    change.start(ssh.name, slot)
    with fleet.reach(ssh.name, slot) as url:
        httpx.get(url).raise_for_status()
    change.switch(ssh.name, slot)
    fleet.close()
    print("deployed", release.id)


if __name__ == "__main__":
    deploy(Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4], Path(sys.argv[5]), sys.argv[6])
