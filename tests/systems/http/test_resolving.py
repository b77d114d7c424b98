"""A client that is given an address still examines the certificate by the name, and tells the server the name."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.http.client import HttpClient
from tests import servers
from tests.servers import Reply, Request

NAME = "api.shop.test"


def to_loopback(name: str) -> str:
    assert name == NAME
    return servers.LOOPBACK


def test_the_certificate_is_examined_by_the_name_and_the_server_hears_it(tmp_path: Path) -> None:
    tls, authority = servers.certificate(tmp_path, name=NAME)
    heard = []

    def note(request: Request) -> Reply:
        heard.append((request.headers["host"], request.path))
        return Reply.json({})

    with (
        servers.http(note, tls) as port,
        HttpClient(f"https://{NAME}:{port}/base", ca_file=authority, resolve=to_loopback) as client,
    ):
        answer = client.get("/health")

    assert heard == [(f"{NAME}:{port}", "/base/health")]
    assert answer.url == f"https://{NAME}:{port}/base/health"


@pytest.mark.parametrize("name", ["other.shop.test", servers.LOOPBACK])
def test_a_certificate_for_another_name_is_refused(name: str, tmp_path: Path) -> None:
    tls, authority = servers.certificate(tmp_path, name=name)
    with (
        servers.http(lambda _: Reply.json({}), tls) as port,
        HttpClient(f"https://{NAME}:{port}", ca_file=authority, resolve=to_loopback) as client,
        pytest.raises(SystemFault, match="can't be trusted") as caught,
    ):
        client.get("/health")

    assert f"not valid for '{NAME}'" in caught.value.found


def test_one_connection_serves_several_requests(tmp_path: Path) -> None:
    tls, authority = servers.certificate(tmp_path, name=NAME)
    ports = set()

    def note(request: Request) -> Reply:
        ports.add(request.client_address[1])
        return Reply.json({})

    with (
        servers.http(note, tls) as port,
        HttpClient(f"https://{NAME}:{port}", ca_file=authority, resolve=to_loopback) as client,
    ):
        for _ in range(3):
            client.get("/health")

    assert len(ports) == 1


def test_a_name_without_an_address_is_a_fault_of_the_request() -> None:
    def nowhere(_: str) -> str:
        raise SystemFault("the name has no address", reason=Reason.UNREACHABLE)

    with HttpClient(f"https://{NAME}", resolve=nowhere) as client, pytest.raises(SystemFault, match="no address"):
        client.get("/health")


def test_an_address_is_not_looked_up() -> None:
    def never(_: str) -> str:
        pytest.fail("an address needs no look-up")

    with (
        servers.http(lambda _: Reply.json({})) as port,
        HttpClient(f"http://{servers.LOOPBACK}:{port}", resolve=never) as client,
    ):
        assert client.get("/").status == 200
