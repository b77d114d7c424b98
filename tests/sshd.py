"""A real sshd (Debian's openssh-server) on a free port of loopback, with a host key and a user key of its own."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from runbooks.engine.errors import SystemFault
from runbooks.engine.wait import until
from runbooks.systems.hosts.ssh import Login, Ssh
from tests.servers import LOOPBACK

PROGRAM = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
NEEDED = "needs a real sshd: apt-get install openssh-server"


@dataclass
class Sshd:
    """A daemon and its keys."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def login(self) -> Login:
        return Login(
            f"{getpass.getuser()}@{LOOPBACK}:{self.port}",
            known_hosts=self.folder / "known_hosts",
            key_file=self.folder / "user",
        )

    def sessions(self) -> list[int]:
        """The processes that serve one connection each."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def cut(self) -> None:
        """End every connection, as a network does that fails."""
        for pid in self.sessions():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def down(self) -> None:
        """Nobody gets in any more, and whoever is in is thrown out."""
        if self.process.poll() is not None:
            return
        sessions = self.sessions()  # they outlive the listener, and are nobody's children then
        self.process.terminate()
        self.process.wait(10)
        for pid in sessions:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def up(self) -> None:
        """Let everybody in again, at the same port."""
        self.process = _started(self.folder)
        until(lambda: _answers(self.port), seconds=10, what="sshd does not answer")


@contextlib.contextmanager
def running(folder: Path, *options: str) -> Iterator[Sshd]:
    """The daemon, for the time of a block.

    Args:
        folder: Where its keys go.
        options: More lines of its configuration.
    """
    if PROGRAM is None:
        if os.environ.get("CI"):
            pytest.fail(NEEDED)
        pytest.skip(NEEDED)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # no init has run that makes it
    folder.chmod(0o700)
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    (folder / "authorized_keys").write_text((folder / "user.pub").read_text())
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port = probe.getsockname()[1]
    (folder / "known_hosts").write_text(f"[{LOOPBACK}]:{port} {(folder / 'host.pub').read_text()}")
    (folder / "sshd_config").write_text("\n".join([*_configuration(folder, port), *options, ""]))
    sshd = Sshd(folder, port, _started(folder))
    try:
        until(lambda: _answers(port), seconds=10, what="sshd does not answer")
        yield sshd
    finally:
        sshd.down()


def _started(folder: Path) -> subprocess.Popen[bytes]:
    assert PROGRAM is not None
    with (folder / "log").open("ab") as output:
        return subprocess.Popen(
            [PROGRAM, "-D", "-e", "-f", str(folder / "sshd_config")],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )


def _configuration(folder: Path, port: int) -> list[str]:
    return [
        f"Port {port}",
        f"ListenAddress {LOOPBACK}",
        f"HostKey {folder / 'host'}",
        f"PidFile {folder / 'pid'}",
        f"AuthorizedKeysFile {folder / 'authorized_keys'}",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "PermitRootLogin prohibit-password",
        "StrictModes no",  # the keys lie below /tmp, which everybody may write to
        "UsePAM no",
        "PrintMotd no",
        f"SetEnv HOME={folder}",  # bash would read its user's .bashrc at each command, whatever that does
    ]


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1) as probe:
        return probe.recv(4) == b"SSH-"
    return False


@contextlib.contextmanager
def opened(sshd: Sshd) -> Iterator[Ssh]:
    """A connection that is closed again."""
    ssh = Ssh(sshd.login)
    try:
        yield ssh
    finally:
        with contextlib.suppress(SystemFault):
            ssh.close()
