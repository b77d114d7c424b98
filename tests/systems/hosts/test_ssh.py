"""What is particular to SSH: who is trusted, what a cut leaves, and what the line costs. Against a real sshd."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.wait import until
from runbooks.systems.hosts.ssh import Login, Ssh
from tests import sshd as real
from tests.servers import LOOPBACK, closed_port, silent
from tests.sshd import Sshd


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with real.running(tmp_path_factory.mktemp("sshd")) as daemon:
        yield daemon


@contextlib.contextmanager
def opened(login: Login) -> Iterator[Ssh]:
    ssh = Ssh(login)
    try:
        yield ssh
    finally:
        ssh.close()


# --- who is trusted


def test_a_host_key_that_is_not_known_is_refused_and_not_learnt(sshd: Sshd, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    known.touch()

    with opened(replace(sshd.login, known_hosts=known)) as ssh, pytest.raises(SystemFault, match="not known") as caught:
        ssh.run(["true"])

    assert caught.value.reason is Reason.UNAUTHORISED
    assert str(known) in caught.value.mend
    assert known.read_text() == ""


def test_another_host_key_than_the_known_one_is_refused(sshd: Sshd, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "other")], check=True)
    known = tmp_path / "known_hosts"
    known.write_text(f"[{LOOPBACK}]:{sshd.port} {(tmp_path / 'other.pub').read_text()}")

    with opened(replace(sshd.login, known_hosts=known)) as ssh, pytest.raises(SystemFault, match="not who it was"):
        ssh.run(["true"])


def test_a_key_that_the_host_does_not_know_is_told(sshd: Sshd, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "mine")], check=True)

    with opened(replace(sshd.login, key_file=tmp_path / "mine")) as ssh, pytest.raises(SystemFault) as caught:
        ssh.run(["true"])

    assert caught.value.reason is Reason.UNAUTHORISED
    assert "ssh-add" in caught.value.mend


def test_a_host_where_nobody_listens_or_answers_is_told(sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runbooks.systems.hosts.ssh.CONNECT_SECONDS", 0.5)
    with opened(replace(sshd.login, target=f"me@{LOOPBACK}:{closed_port()}")) as ssh, pytest.raises(SystemFault) as one:
        ssh.run(["true"])
    with (
        silent() as port,
        opened(replace(sshd.login, target=f"me@{LOOPBACK}:{port}")) as ssh,
        pytest.raises(SystemFault) as two,
    ):
        ssh.run(["true"])

    assert one.value.reason is Reason.UNREACHABLE
    assert two.value.reason in (Reason.UNREACHABLE, Reason.TIMED_OUT)


def test_a_host_that_forwards_nothing_says_what_to_allow(tmp_path: Path) -> None:
    with (
        real.running(tmp_path, "AllowTcpForwarding no") as daemon,
        opened(daemon.login) as ssh,
        pytest.raises(SystemFault) as caught,
    ):
        ssh.connect(f"{LOOPBACK}:{daemon.port}")

    assert "AllowTcpForwarding" in caught.value.mend


# --- a line that is cut


def test_a_connection_that_is_cut_is_told_and_opened_again(sshd: Sshd) -> None:
    with opened(sshd.login) as ssh:
        ssh.run(["true"])
        threading.Timer(0.3, sshd.cut).start()
        with pytest.raises(SystemFault) as caught:
            ssh.run(["sleep", "20"], seconds=15)

        assert caught.value.reason is Reason.UNREACHABLE
        assert ssh.run(["echo", "again"]).text == "again\n"


def test_a_cut_in_the_middle_of_an_upload_is_told(sshd: Sshd) -> None:
    sent = threading.Event()

    def data() -> Iterator[bytes]:
        for _ in range(2000):
            yield os.urandom(65536)
            sent.set()

    def cut() -> None:
        sent.wait(10)
        sshd.cut()

    with opened(sshd.login) as ssh:
        cutter = threading.Thread(target=cut)
        cutter.start()
        with pytest.raises(SystemFault) as caught:
            ssh.send(["sh", "-c", "cat >/dev/null"], data(), seconds=60)
        cutter.join()

    assert caught.value.reason is Reason.UNREACHABLE


# --- what the line costs


def test_each_socket_has_nodelay(sshd: Sshd) -> None:
    """D3: Paramiko never sets it, and then waits 40 ms for the peer at each command's end."""
    with opened(sshd.login) as ssh:
        ssh.run(["true"])
        connection = ssh._connection
        assert connection is not None
        assert connection.transport.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


@contextlib.contextmanager
def distant(port: int, one_way: float) -> Iterator[int]:
    """The port of a relay that holds each packet back for so many seconds, in both directions."""
    with socket.create_server((LOOPBACK, 0)) as server:
        over = threading.Event()
        ends: list[socket.socket] = []

        def serve() -> None:
            with contextlib.suppress(OSError):
                while not over.is_set():
                    near, _ = server.accept()
                    far = socket.create_connection((LOOPBACK, port))
                    ends.extend((near, far))
                    for source, sink in ((near, far), (far, near)):
                        source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                        threading.Thread(target=relay, args=(source, sink), daemon=True).start()

        def relay(source: socket.socket, sink: socket.socket) -> None:
            held: list[tuple[float, bytes]] = []
            more = threading.Condition()

            def deliver() -> None:
                while True:
                    with more:
                        more.wait_for(lambda: held)
                        due, data = held.pop(0)
                    time.sleep(max(0.0, due - time.monotonic()))
                    with contextlib.suppress(OSError):
                        sink.sendall(data) if data else sink.shutdown(socket.SHUT_WR)
                    if not data:
                        return

            threading.Thread(target=deliver, daemon=True).start()
            data = b"x"
            while data:
                try:
                    data = source.recv(65536)
                except OSError:
                    data = b""
                with more:
                    held.append((time.monotonic() + one_way, data))
                    more.notify()

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield server.getsockname()[1]
        finally:
            over.set()
            for each in ends:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)  # wakes whoever reads there
                each.close()


def quickest(call: Callable[[], object], times: int) -> float:
    """Seconds; the best of several, since a busy machine only ever makes it slower."""
    took = []
    for _ in range(times):
        began = time.monotonic()
        call()
        took.append(time.monotonic() - began)
    return min(took)


def test_a_command_and_a_small_file_cost_few_round_trips(sshd: Sshd, tmp_path: Path) -> None:
    """D2: as Fabric ships it, 5.4 round trips for a command, 6.6 for a file of 4 KB, 12.8 for connecting.

    The file takes three, one more than over an open SFTP channel: it is the same command that puts it into its place.
    """
    trip = 0.2  # long, so that what a busy machine adds is small beside it
    with distant(sshd.port, trip / 2) as port:
        known = tmp_path / "known_hosts"
        known.write_text(f"[{LOOPBACK}]:{port} {(sshd.folder / 'host.pub').read_text()}")
        far = replace(sshd.login, target=f"{sshd.login.target.partition('@')[0]}@{LOOPBACK}:{port}", known_hosts=known)

        def connect() -> None:
            with opened(far) as ssh:
                ssh._transport()

        with opened(far) as ssh:
            ssh.run(["true"])
            command = quickest(lambda: ssh.run(["true"]), 4) / trip
            target = str(tmp_path / "file")
            write = ["sh", "-c", 'umask 077; cat > "$1"', "sh", target]
            file = quickest(lambda: ssh.send(write, [b"x" * 4096], seconds=10), 4) / trip
        connecting = quickest(connect, 2) / trip

    assert command <= 3
    assert file <= 3.5
    assert connecting <= 8.5


def test_a_connection_is_opened_once_for_all_who_use_it(sshd: Sshd) -> None:
    sshd.cut()  # whatever was left open by the tests that came before, which are others each time
    until(lambda: not sshd.sessions(), seconds=10, what="earlier tests' connections stay open")
    with opened(sshd.login) as ssh:
        threads = [threading.Thread(target=ssh.run, args=(["true"],)) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(sshd.sessions()) == 1
    until(lambda: not sshd.sessions(), seconds=5, what="the connection stays open")
