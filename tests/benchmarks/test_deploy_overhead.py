"""What a deploy does on a host, beside the same by hand over one connection, and beside a playbook."""

from __future__ import annotations

import configparser
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from runbooks.systems.platform.hosting import Slot
from tests import sshd
from tests.benchmarks.cases import Case, compare
from tests.benchmarks.conftest import PROGRAMS
from tests.benchmarks.paired import Row
from tests.benchmarks.peers import ansible_variables, peer
from tests.hosts import Bed, bed

OURS, RAW, PLAYBOOK = "ours", "the same by hand, ssh on a master", "ansible-playbook, pipelining"

SCRIPT = """
id=raw-$(date +%s%N)
on() {{ ssh {master} 127.0.0.1 "$@"; }}
slot=blue; case $(on readlink {root}/active) in *blue) slot=green;; esac
on cat {root}/slots/$slot/address >address
git -C {repository} archive --format=tar.gz {commit} |
  on "mkdir -p {root}/releases/$id && tar -C {root}/releases/$id -xz"
on "cd {root}/releases/$id && {root}/install"
on {control} stop shop-$slot >/dev/null || true
echo COLOUR=blue | on "umask 077; cat >{root}/slots/$slot/variables"
on "echo exec python server.py >{root}/slots/$slot/command"
on ln -sfn {root}/releases/$id {root}/slots/$slot/release
on {control} start shop-$slot >/dev/null
on "until curl -sf http://$(cat address)/; do sleep 0.05; done" >/dev/null
on "ln -s slots/$slot {root}/active.$id && mv -T {root}/active.$id {root}/active"
ssh {master} -O exit 127.0.0.1 2>/dev/null
echo deployed $id
"""

BOOK = """
- hosts: h1
  gather_facts: false
  vars: {{release: "{root}/releases/book-{{{{ lookup('pipe', 'date +%s%N') }}}}"}}
  tasks:
    - set_fact: {{folder: "{{{{ release }}}}"}}
    - file: {{path: "{{{{ folder }}}}", state: directory, mode: "0755"}}
    - unarchive: {{src: "{archive}", dest: "{{{{ folder }}}}"}}
    - command: {{cmd: "{root}/install", chdir: "{{{{ folder }}}}"}}
    - copy: {{content: "COLOUR=blue", dest: "{root}/slots/green/variables", mode: "0600"}}
    - file: {{src: "{{{{ folder }}}}", dest: "{root}/slots/green/release", state: link, force: true}}
    - command: {{cmd: "{control} restart shop-green"}}
    - uri: {{url: "http://{address}/"}}
      register: health
      until: health.status == 200
      retries: 50
      delay: 0.1
"""


@pytest.mark.benchmark
@pytest.mark.timeout(1800)
def test_a_deploy_beside_the_same_by_hand(home: Path, tmp_path: Path) -> None:
    for name in ("bed", "keys"):
        (tmp_path / name).mkdir()
    with bed(tmp_path / "bed") as there, sshd.running(tmp_path / "keys") as daemon:
        install = "mkdir -p .venv/bin && ln -s " + sys.executable + " .venv/bin/python"  # nothing that all have to pay
        (there.root / "install").write_text(f"#!/bin/sh\n{install}\n")
        there.deploy(there.fleet(), there.release("first"))
        commit = there.repository.commit("next")
        cases = [_ours(there, daemon, commit, tmp_path), _raw(there, daemon, commit, tmp_path)]
        if playbook := _playbook(there, daemon, commit, tmp_path):
            cases.append(playbook)
        rows = [
            Row(case=OURS, against=RAW, at_most=1.3),
            Row(case=RAW),
            Row(case=PLAYBOOK, against=OURS, at_least=3),
        ]

        compare("A deploy's part on one host", cases, rows, home)


def _ours(there: Bed, daemon: sshd.Sshd, commit: str, folder: Path) -> Case:
    where: list[str | Path] = [there.root, there.configuration, there.repository.folder]
    program: list[str | Path] = [sys.executable, PROGRAMS / "deploy_work.py", daemon.folder, str(daemon.port)]
    return Case(name=OURS, argv=[*program, *where, commit], folder=folder, shows="deployed")


def _raw(there: Bed, daemon: sshd.Sshd, commit: str, folder: Path) -> Case:
    master = f"-F none -p {daemon.port} -i {daemon.folder}/user -o UserKnownHostsFile={daemon.folder}/known_hosts"
    master += f" -o ControlMaster=auto -o ControlPath={daemon.folder}/%h -o ControlPersist=30"
    script = SCRIPT.format(
        master=master,
        root=there.root,
        repository=there.repository.folder,
        commit=commit,
        control=_control(there),
    )
    return Case(name=RAW, argv=["bash", "-euc", script], folder=folder, shows="deployed")


def _playbook(there: Bed, daemon: sshd.Sshd, commit: str, folder: Path) -> Case | None:
    ansible = peer("ansible")
    if ansible is None:
        return None
    archive, inventory, book = folder / "release.tar.gz", folder / "inventory", folder / "book.yml"
    make: list[str | Path] = ["git", "-C", there.repository.folder, "archive", "--format=tar.gz", "-o", archive, commit]
    subprocess.run(make, check=True)
    address = there.address(Slot.GREEN)
    book.write_text(BOOK.format(root=there.root, archive=archive, control=_control(there), address=address))
    inventory.write_text(
        f"h1 ansible_host=127.0.0.1 ansible_port={daemon.port} ansible_ssh_private_key_file={daemon.folder}/user "
        f"ansible_ssh_common_args='-F none -o UserKnownHostsFile={daemon.folder}/known_hosts'\n"
    )
    argv: list[str | Path] = [ansible.command("ansible-playbook"), "-i", inventory, book]
    return Case(
        name=PLAYBOOK, argv=argv, folder=folder, environment=ansible_variables(ansible), shows="failed=0", rounds=3
    )


def _control(there: Bed) -> str:
    """supervisorctl, which every host with supervisor has."""
    told = configparser.RawConfigParser()
    told.read(there.configuration)
    server = f"http://{told['inet_http_server']['port']}"
    return shlex.join([sys.executable, "-m", "supervisor.supervisorctl", "-s", server, "-u", "u", "-p", "p"])
