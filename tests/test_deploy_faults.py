"""Deploys that something outside breaks: each ends named and taken back, and the release before answers."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pygit2
import pytest
from pygit2.enums import FileMode

from runbooks.engine.wait import until
from runbooks.sandbox import environments, ports, postgres_server
from runbooks.sandbox.layout import Layout
from runbooks.sandbox.slots import active
from runbooks.sandbox.world import Sandbox
from runbooks.systems.releases.record import State
from tests import sshd
from tests.crash.sandboxes import disturbed_at, succeeds
from tests.deployed import Place, place
from tests.sshd import Sshd

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

LISTEN = """
import os, socket, sys, time
stranger = socket.create_server((sys.argv[1], int(sys.argv[2])))
if child := os.fork():
    open(sys.argv[3], "w").write(str(child))
    os._exit(0)
os.setsid()
time.sleep(300)
"""
STOP_THE_PROXY = """
import sys, pathlib
from runbooks.sandbox.slots import active
from runbooks.sandbox.world import Sandbox
Sandbox.of(pathlib.Path(sys.argv[1])).manager.stop("proxy")
"""
REFUSE = """
import sys, pathlib
from tests.test_deploy_faults import let_in
let_in(pathlib.Path(sys.argv[1]), "false")
"""


@pytest.fixture(scope="module")
def here(installed: Layout) -> Iterator[Place]:
    with place(installed) as made:
        yield made


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Sshd]:
    with sshd.running(tmp_path) as running:
        yield running


def host(here: Place) -> Path:
    return Sandbox.of(here.shell.project).layout.host("local")


@contextlib.contextmanager
def over_ssh(here: Place, daemon: Sshd) -> Iterator[None]:
    """The sandbox's host is reached through a real sshd, for the time of a block."""
    file = here.shell.project / "inventory" / "local" / "environment.toml"
    text, root = file.read_text(), host(here)
    relative = 'root = "var/sandbox/environments/local/host"\ninstall = "var/sandbox/environments/local/host/install"\n'
    assert relative in text
    lines = (
        f'root = "{root}"\ninstall = "{root}/install"\nnames = ["{daemon.login.target}"]\n'
        f'known_hosts = "{daemon.login.known_hosts}"\nkey_file = "{daemon.login.key_file}"\n'
    )
    file.write_text(text.replace(relative, lines))
    try:
        yield
    finally:
        file.write_text(text)


def program(text: str, *words: object) -> str:
    """Some Python as a command of the shell."""
    return shlex.join([sys.executable, "-c", text, *map(str, words)])


def went_on(here: Place) -> None:
    """The first release answers, and ledger, hosts and schema agree."""
    assert here.version() == "v1"
    assert here.history().begun == []
    here.is_consistent()


def let_in(project: Path, whether: str) -> None:
    sandbox = Sandbox.of(project)
    with postgres_server.connect(sandbox.layout, sandbox.numbers()[ports.POSTGRES], "postgres") as connection:
        connection.execute(f"ALTER DATABASE {environments.database('local')} ALLOW_CONNECTIONS {whether}".encode())


def heavy(here: Place) -> str:
    """A release that takes a while to be sent: it holds 64 MiB that can't be compressed."""
    repository = pygit2.Repository(str(Sandbox.of(here.shell.project).layout.repository))
    before = repository.revparse_single("v2").peel(pygit2.Commit)
    index = pygit2.Index()
    index.read_tree(before.tree)
    index.add(pygit2.IndexEntry("ballast", repository.create_blob(os.urandom(64 << 20)), FileMode.BLOB))
    tree = index.write_tree(repository)
    made = repository.create_commit(None, before.author, before.author, "Take ballast\n", tree, [before.id])
    repository.references.create("refs/heads/heavy", made, force=True)
    return str(made)


def test_a_connection_that_is_cut_during_the_upload(here: Place, daemon: Sshd) -> None:
    commit = heavy(here)
    with over_ssh(here, daemon):
        deploy = here.shell.start("release.deploy", "--ref", commit)
        try:
            until(
                lambda: deploy.poll() is not None or any(host(here).glob("releases/*/ballast")),
                seconds=120,
                what="nothing is uploaded",
            )
            daemon.cut()
        finally:
            out, error = deploy.communicate(timeout=280)
        said = out + error

        assert deploy.returncode == 6, said
        assert "the connection was cut" in said
        went_on(here)
    assert not any(host(here).glob("releases/*/ballast")), "what came over is cleared away"


def test_a_host_whose_disk_is_full(here: Place, tmp_path: Path) -> None:
    with full(host(here) / "releases", tmp_path):
        said = here.deploy("v2", code=6)

        assert "No space left on device" in said
        went_on(here)


@contextlib.contextmanager
def full(folder: Path, kept: Path) -> Iterator[None]:
    """The folder lies on a file system without room, for the time of a block."""
    subprocess.run(["cp", "-a", f"{folder}/.", str(kept)], check=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m,mode=755", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a file system can't be mounted here")
    try:
        subprocess.run(["cp", "-a", f"{kept}/.", str(folder)], check=True)
        with contextlib.suppress(OSError), (folder / "ballast").open("wb", buffering=0) as ballast:
            while True:
                ballast.write(bytes(4096))
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_stranger_who_takes_the_port_ahead_of_the_start(here: Place, tmp_path: Path) -> None:
    layout, pid = Sandbox.of(here.shell.project).layout, tmp_path / "pid"
    idle = active(layout, "local").other
    address = (layout.slot("local", idle) / "address").read_text().strip()
    command = program(LISTEN, *address.rsplit(":", 1), pid)
    try:
        said = disturbed_at(here.shell, "after:intent/start", command, "release.deploy", "--ref", "v2", code=6)
    finally:
        if pid.exists():
            os.kill(int(pid.read_text()), signal.SIGKILL)

    assert "somebody else listens" in said
    went_on(here)


def test_a_database_that_lets_nobody_in_at_the_migration(here: Place) -> None:
    """To v3, as the others leave the schema where v2 wants it."""
    project = here.shell.project
    try:
        said = disturbed_at(
            here.shell, "after:intent/migrate", program(REFUSE, project), "release.deploy", "--ref", "v3", code=6
        )
    finally:
        let_in(project, "true")

    assert "is not currently accepting connections" in said
    went_on(here)


def test_a_proxy_that_is_down_at_the_switch(here: Place) -> None:
    sandbox = Sandbox.of(here.shell.project)
    command = program(STOP_THE_PROXY, here.shell.project)
    try:
        said = disturbed_at(here.shell, "after:intent/switch", command, "release.deploy", "--ref", "v2", code=6)
    finally:
        sandbox.start_servers()

    assert "the proxy does not answer, so nothing is switched" in said
    went_on(here)


def test_a_host_that_is_out_of_reach_when_it_is_taken_back(here: Place, daemon: Sshd) -> None:
    here.declare(smoke_paths=["/health", "/there-is-no-such-page"])
    pid = daemon.process.pid
    gone = f"kill -9 $(cat /proc/{pid}/task/{pid}/children) {pid}"
    try:
        with over_ssh(here, daemon):
            said = disturbed_at(here.shell, "before:undo-intent/switch", gone, "release.deploy", "--ref", "v2", code=7)
            daemon.process.wait(10)
            run = here.last_run()

            assert f"invoke runs.abort {run}" in said
            assert f"{daemon.login.target} could not be asked" in said
            assert "is what runs" not in said, "nobody knows"
            status = here.shell.invoke("release.status")
            assert status.returncode == 3
            assert "has not ended" in status.stdout

            daemon.up()
            succeeds(here.shell, "runs.abort", run, code=6)

            went_on(here)
            assert State.BAD in here.history().states.values(), "it is still known why it was taken back"
    finally:
        here.declare(smoke_paths=["/health", "/health/db", "/openapi.json"])
