"""A record that is missing is an answer; a server that could not answer is none."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from dnslib import RCODE, DNSRecord

from runbooks.engine.errors import Reason, SystemFault
from runbooks.sandbox.dns.server import create_servers
from runbooks.systems.dns.address import server_address
from runbooks.systems.dns.client import DnsClient
from tests import servers

ZONE = """\
shop.test. 60 IN SOA ns.shop.test. admin.shop.test. 1 60 60 60 60
api.shop.test. 60 IN A 127.0.0.1
api.shop.test. 60 IN AAAA ::1
www.shop.test. 60 IN CNAME api.shop.test.
shop.test. 60 IN TXT "v=spf1 " "-all"
shop.test. 60 IN TXT "another"
shop.test. 60 IN MX 10 mx.shop.test.
"""


@contextlib.contextmanager
def zone(file: Path, text: str = ZONE) -> Iterator[DnsClient]:
    """A client of a server that answers from this zone."""
    file.write_text(text)
    port = servers.closed_port()
    running = create_servers(file, port)
    for server in running:
        server.start_thread()
    try:
        yield DnsClient([("127.0.0.1", port)], seconds=2)
    finally:
        for server in running:
            server.stop()
            server.server.server_close()


def test_records_are_read_as_a_zone_writes_them(tmp_path: Path) -> None:
    with zone(tmp_path / "zone") as client:
        assert client.addresses("api.shop.test") == ("127.0.0.1", "::1")
        assert client.records("shop.test", "MX") == ("10 mx.shop.test.",)
        assert set(client.texts("shop.test")) == {"v=spf1 -all", "another"}


def test_an_alias_is_followed(tmp_path: Path) -> None:
    with zone(tmp_path / "zone") as client:
        assert client.addresses("www.shop.test") == ("127.0.0.1", "::1")
        assert client.alias("www.shop.test") == "api.shop.test"
        assert client.alias("api.shop.test") == "api.shop.test"


def test_a_name_that_does_not_exist_and_one_without_the_record_both_have_none(tmp_path: Path) -> None:
    with zone(tmp_path / "zone") as client:
        assert client.texts("gone.shop.test") == ()
        assert client.texts("api.shop.test") == ()
        with pytest.raises(SystemFault, match="has no address") as caught:
            client.address("gone.shop.test")

    assert caught.value.reason is Reason.UNREACHABLE


def test_a_zone_that_changes_is_read_again_and_a_broken_one_is_no_answer(tmp_path: Path) -> None:
    file = tmp_path / "zone"
    with zone(file) as client:
        assert client.records("api.shop.test", "A") == ("127.0.0.1",)
        (tmp_path / "new").write_text("api.shop.test. 60 IN A 127.0.0.9\n")
        (tmp_path / "new").replace(file)
        assert client.records("api.shop.test", "A") == ("127.0.0.9",)

        (tmp_path / "new").write_text("not a zone")
        (tmp_path / "new").replace(file)
        with pytest.raises(SystemFault, match="could not answer") as caught:
            client.records("api.shop.test", "A")

    assert caught.value.reason is Reason.BAD_ANSWER
    assert "SERVFAIL" in caught.value.found


def test_a_server_that_says_nothing_is_given_up() -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        client = DnsClient([("127.0.0.1", silent.getsockname()[1])], seconds=0.3)
        with pytest.raises(SystemFault, match="did not answer in time") as caught:
            client.texts("shop.test")

    assert caught.value.reason is Reason.TIMED_OUT


def test_an_address_is_asked_for_once_and_so_is_one_that_can_not_be_had() -> None:
    asked: list[str] = []
    with refusing(asked) as port:
        client = DnsClient([("127.0.0.1", port)], seconds=2)
        for _ in range(3):
            with pytest.raises(SystemFault, match="could not answer"):
                client.address("api.shop.test")

    assert asked == ["api.shop.test."]


def test_a_name_that_is_none_is_told() -> None:
    with pytest.raises(SystemFault, match="can't be asked for"):
        DnsClient([("127.0.0.1", 1)]).texts(f"{'x' * 64}.test")


@contextlib.contextmanager
def refusing(asked: list[str]) -> Iterator[int]:
    """Answers every question with SERVFAIL, and notes its name; the port."""
    with socket.socket(type=socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def answer() -> None:
            with contextlib.suppress(OSError):
                while True:
                    words, client = server.recvfrom(4096)
                    if words == b"stop":
                        return
                    question = DNSRecord.parse(words)
                    asked.append(str(question.q.qname))
                    reply = question.reply()
                    reply.header.rcode = RCODE.SERVFAIL
                    server.sendto(reply.pack(), client)

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            server.sendto(b"stop", server.getsockname())
            thread.join()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("9.9.9.9", ("9.9.9.9", 53)),
        ("127.0.0.1:5353", ("127.0.0.1", 5353)),
        ("2620:fe::fe", ("2620:fe::fe", 53)),
        ("[::1]:5353", ("::1", 5353)),
        ("[::1]", ("::1", 53)),
        ("dns.example.org", None),
        ("127.0.0.1:", None),
        ("127.0.0.1:99999", None),
        ("", None),
    ],
)
def test_a_servers_address_has_a_port_or_the_usual_one(text: str, found: tuple[str, int] | None) -> None:
    assert server_address(text) == found
