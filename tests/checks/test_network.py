"""Where a server may be reached, judged with real sockets of this machine."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest

from runbooks.checks.network import Door, exposure, hosts, only_addresses
from runbooks.systems.network import client as network
from tests import servers

OWN_LOOPBACK = ("127.0.0.0/8",)


def door(host: str = "127.0.0.1", **changed: object) -> Door:
    usual: dict[str, object] = {"port": servers.closed_port(), "listens": ["127.0.0.1"], "declared": OWN_LOOPBACK}
    return Door(hosts=[host], **(usual | changed))  # type: ignore[arg-type]


def test_a_server_on_loopback_only_is_not_public() -> None:
    found = exposure(door())

    assert (found.problem, found.unseen) == ("", "")
    assert "listens on 127.0.0.1" in found.seen


@pytest.mark.parametrize(
    ("host", "shows"),
    [
        ("203.0.113.7", "203.0.113.7 is at 203.0.113.7, outside of 127.0.0.0/8"),
        ("10.0.0.5", "outside of 127.0.0.0/8"),
        ("monorail.proxy.rlwy.net", "public proxy"),
    ],
)
def test_a_host_outside_the_networks_is_told(host: str, shows: str) -> None:
    assert shows in exposure(door(host)).problem


@pytest.mark.parametrize(
    ("listens", "shows"),
    [
        (["*"], "every interface (*)"),
        (["*", "-::*"], "every interface"),
        (["0.0.0.0"], "every interface"),
        (["127.0.0.1", "203.0.113.7"], "listens on 203.0.113.7"),
    ],
)
def test_a_server_that_listens_elsewhere_is_told(listens: list[str], shows: str) -> None:
    assert shows in exposure(door(listens=listens)).problem


def test_private_networks_count_where_none_are_declared() -> None:
    assert exposure(door(declared=(), listens=["10.0.0.5", "localhost"])).problem == ""
    assert "outside of private networks" in exposure(door(declared=(), listens=["203.0.113.7"])).problem


@contextlib.contextmanager
def listening() -> Iterator[tuple[str, int]]:
    """A server of our own, seen as if it were at an address outside the networks."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()


def test_an_answer_from_outside_the_networks_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "own_addresses", lambda: ("203.0.113.7",))
    monkeypatch.setattr(network, "answers", lambda address, port: address == "203.0.113.7")

    assert "answers at 203.0.113.7" in exposure(door(declared=(), listens=["*"])).problem


def test_what_can_not_be_tried_is_not_called_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "own_addresses", lambda: ())

    inside = door("db.railway.internal", declared=(), listens=["*"])

    assert "could not be tried" in exposure(inside).unseen
    assert "could not be tried" in exposure(door("db.railway.internal", declared=(), listens=None)).unseen


def test_a_name_that_is_known_nowhere_could_not_be_looked_at() -> None:
    assert "has no address here" in exposure(door("database.invalid")).unseen


def test_a_connection_shows_whether_something_answers() -> None:
    with listening() as (address, port):
        assert network.answers(address, port)
    assert not network.answers("127.0.0.1", servers.closed_port(), 0.5)


def test_hosts_are_taken_from_urls() -> None:
    assert hosts("postgresql://db/x", "postgresql://db:5/x", None, "unix:///run/redis.sock") == ("db",)
    assert only_addresses(["203.0.113.7", "x.up.railway.app"]) == ("203.0.113.7",)
