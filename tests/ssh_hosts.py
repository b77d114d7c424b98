"""Two hosts with a real sshd each, that one key logs in to, and a project that deploys to them."""

from __future__ import annotations

import contextlib
import getpass
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.hosts.ssh import Login, Ssh
from tests import sshd
from tests.conftest import Shell
from tests.servers import LOOPBACK
from tests.shops import private
from tests.sshd import Sshd

OPTIONS = f'from="{LOOPBACK}",no-agent-forwarding '
SOMEBODY_ELSE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHVzZWRieW5vYm9keWF0YWxsaW50aGlzdGVzdGluZ3Q0 ada@example.org\n"


@dataclass
class SshHosts:
    """The hosts, and the project's folder, which holds the key."""

    project: Path
    hosts: tuple[Sshd, ...]

    @property
    def shell(self) -> Shell:
        return Shell(self.project)

    @property
    def key_file(self) -> Path:
        return self.project / "inventory" / "fleet" / "deploy_key"

    def reset(self) -> None:
        """A key that both hosts let in, and nothing of what was done before."""
        for path in self.key_file.parent.glob("deploy_key*"):
            subprocess.run(["rm", "-rf", str(path)], check=True)
        subprocess.run(["rm", "-rf", str(self.project / "var")], check=True)
        # ECDSA: another kind than the one that is made, so that a host can be had which refuses only that.
        subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", str(self.key_file)], check=True)
        public = self.key_file.with_suffix(".pub").read_text()
        for host in self.hosts:
            (host.folder / "authorized_keys").write_text(SOMEBODY_ELSE + OPTIONS + public)

    def lets_in(self, private_key: str) -> list[bool]:
        """Whether each host does."""
        found = []
        for host in self.hosts:
            ssh = Ssh(Login(_target(host), host.folder / "known_hosts", key=Secret("tried", private_key)))
            try:
                found.append(ssh.run(["true"]).status == 0)
            except SystemFault as fault:
                assert fault.reason is Reason.UNAUTHORISED, str(fault)
                found.append(False)
            finally:
                ssh.close()
        return found

    def authorized(self) -> list[str]:
        return [(host.folder / "authorized_keys").read_text() for host in self.hosts]


@contextlib.contextmanager
def running(folder: Path, *options_of_second: str) -> Iterator[SshHosts]:
    """The hosts, for the time of a block."""
    folders = [folder / "host-1", folder / "host-2"]
    for each in folders:
        each.mkdir()
    with sshd.running(folders[0]) as first, sshd.running(folders[1], *options_of_second) as second:
        made = SshHosts(folder / "project", (first, second))
        inventory = made.key_file.parent
        inventory.mkdir(parents=True)
        (inventory / "known_hosts").write_text("".join((each / "known_hosts").read_text() for each in folders))
        (inventory / "environment.toml").write_text(f"""\
schema = 1
protected = false
[application]
url = "http://{LOOPBACK}:9"
[variables]
source = "dotenv"
path = "variables.env"
[platform]
kind = "hosts"
[platform.service]
manager = "supervisor"
name = "application"
configuration = "/etc/supervisord.conf"
[platform.hosts]
root = "/srv/praviel"
names = ["{_target(first)}", "{_target(second)}"]
known_hosts = "known_hosts"
key_file = "deploy_key"
authorized_keys = "authorized_keys"
""")
        private(inventory / "variables.env", {"ENVIRONMENT": "production"})
        made.reset()
        yield made


def _target(host: Sshd) -> str:
    return f"{getpass.getuser()}@{LOOPBACK}:{host.port}"
