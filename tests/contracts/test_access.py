"""One suite over both ways to a host: this machine, and SSH to a real sshd."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.wait import until
from runbooks.systems.hosts.access import Access, Here
from tests import sshd
from tests.servers import LOOPBACK, Reply, closed_port, http


@pytest.fixture(scope="module")
def over_ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Access]:
    with sshd.running(tmp_path_factory.mktemp("sshd")) as daemon, sshd.opened(daemon) as ssh:
        yield ssh


@pytest.fixture(params=["here", "ssh"])
def access(request: pytest.FixtureRequest) -> Access:
    return Here() if request.param == "here" else request.getfixturevalue("over_ssh")


def test_a_command_gets_its_arguments_as_they_are(access: Access) -> None:
    odd = ["a b", "$HOME", "it's", '"', "\\", "*", "", "line\nbreak", "é"]

    done = access.run(["printf", "%s|", *odd])

    assert done.text.split("|") == [*odd, ""]


def test_output_errors_and_status_are_told_apart(access: Access) -> None:
    done = access.run(["sh", "-c", "echo out; echo err >&2; exit 3"])

    assert (done.status, done.text, done.errors) == (3, "out\n", "err\n")


def test_much_output_on_both_streams_arrives_whole(access: Access) -> None:
    size = 5_000_000
    script = f"head -c {size} /dev/zero; head -c {size} /dev/zero >&2"

    done = access.run(["sh", "-c", script], seconds=60)

    assert (len(done.output), len(done.errors)) == (size, size)


def test_a_megabyte_on_standard_input_takes_less_than_a_second(access: Access) -> None:
    began = time.monotonic()

    done = access.send(["sha256sum"], [b"x" * 1_000_000], seconds=10)

    assert done.status == 0
    assert time.monotonic() - began < 1


def test_what_is_sent_arrives_unchanged_and_ends(access: Access, tmp_path: Path) -> None:
    data, target = os.urandom(3_000_000), tmp_path / "file"
    pieces = [data[:1], data[1:2_000_000], b"", data[2_000_000:]]

    done = access.send(["sh", "-c", 'cat > "$1"', "sh", str(target)], pieces, seconds=30)

    assert done.status == 0
    assert target.read_bytes() == data


def test_a_command_that_reads_nothing_does_not_hold_the_sender_up(access: Access) -> None:
    done = access.send(["sh", "-c", "exec <&-; exit 4"], (b"x" * 65536 for _ in range(200)), seconds=20)

    assert done.status == 4


def test_a_source_that_fails_is_its_own_error(access: Access) -> None:
    def broken() -> Iterator[bytes]:
        yield b"some"
        raise SystemFault("the repository can't be read", reason=Reason.FAILED)

    with pytest.raises(SystemFault, match="the repository can't be read"):
        access.send(["cat"], broken(), seconds=10)


def test_a_command_that_takes_too_long_is_given_up_and_another_one_runs(access: Access) -> None:
    with pytest.raises(SystemFault, match="did not end") as caught:
        access.run(["sleep", "30"], seconds=0.3)

    assert caught.value.reason is Reason.TIMED_OUT
    assert access.run(["echo", "on"]).text == "on\n"


def test_a_command_that_is_not_there_is_no_crash_of_ours(access: Access) -> None:
    with contextlib.suppress(SystemFault):  # this machine can't start it; a host's shell says 127
        assert access.run(["no-such-program-here"]).status == 127


def test_a_held_standard_input_ends_with_the_command_and_not_before(access: Access) -> None:
    script = 'exec 3<&0; cat <&3 >/dev/null 2>&1 & sleep 0.3; kill $! && echo "still there"'

    done = access.send(["sh", "-c", script], [b"x"], seconds=10, hold=True)

    assert done.text == "still there\n"


def test_what_listens_on_the_host_is_reached(access: Access) -> None:
    with http(lambda request: Reply(body=request.path.encode() * 100_000)) as port:
        with contextlib.closing(access.connect(f"{LOOPBACK}:{port}")) as connection:
            connection.sendall(b"GET /x HTTP/1.0\r\n\r\n")
            assert connection.recv(8) == b"HTTP/1.1"
        with access.reach(f"{LOOPBACK}:{port}") as address, httpx.Client() as client:
            for path in ("/a", "/b"):
                assert client.get(f"http://{address}{path}").text == path * 100_000


def test_where_nothing_listens_is_unreachable(access: Access) -> None:
    with pytest.raises(SystemFault) as caught:
        access.connect(f"{LOOPBACK}:{closed_port()}")

    assert caught.value.reason is Reason.UNREACHABLE


def test_twelve_commands_at_once_all_end(access: Access) -> None:
    """D6: sshd allows ten sessions on a connection by default."""
    found: list[str] = []

    def ask(number: int) -> None:
        found.append(access.run(["sh", "-c", f"sleep 0.1; echo {number}"], seconds=30).text)

    in_threads([partial(ask, number) for number in range(12)])

    assert sorted(map(int, found)) == list(range(12))


def test_output_takes_time_in_proportion(access: Access) -> None:
    """D4: ten megabytes take no more than twice the time of five, and a constant. As shipped Fabric is quadratic."""

    def took(megabytes: int) -> float:
        times = []
        for _ in range(3):
            began = time.monotonic()
            done = access.run(["sh", "-c", f"yes {'x' * 99} | head -c {megabytes}000000"], seconds=60)
            times.append(time.monotonic() - began)
            assert len(done.output) == megabytes * 1_000_000
        return min(times)

    assert took(10) <= 2.5 * took(5) + 0.3


def in_threads(calls: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_tunnel_ends_with_its_block(access: Access) -> None:
    with http(lambda _: Reply()) as port:
        with access.reach(f"{LOOPBACK}:{port}") as address:
            pass
        if address != f"{LOOPBACK}:{port}":
            until(lambda: refused(address), seconds=5, what="the tunnel is still there")


def refused(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return True
    return False
