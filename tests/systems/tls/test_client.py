"""Handshakes with good servers, old ones, and ones whose certificate is not theirs."""

from __future__ import annotations

import ssl
import warnings
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runbooks.engine.errors import Reason, SystemFault
from runbooks.systems.tls.client import Distrust, Handshake, TlsServer
from tests import servers
from tests.servers import Reply

NAME = "api.shop.test"


def server(port: int, authority: Path | None) -> TlsServer:
    return TlsServer(name=NAME, port=port, address=servers.LOOPBACK, ca_file=authority, seconds=2)


def test_a_good_server_says_until_when(tmp_path: Path) -> None:
    tls, authority = servers.certificate(tmp_path, name=NAME, days=30)
    with servers.http(lambda _: Reply(), tls) as port:
        made = server(port, authority).shake_hands()
        old = server(port, authority).accepts_old_versions()

    assert isinstance(made, Handshake)
    assert made.version == "TLSv1.3"
    assert made.issuer == "test"
    assert 28 < (made.ends - datetime.now(UTC)).total_seconds() / 86400 <= 30
    assert not old


@pytest.mark.parametrize(
    ("name", "days", "known", "shows"),
    [
        (NAME, -1, True, "expired"),
        ("other.shop.test", 30, True, f"not valid for '{NAME}'"),
        (NAME, 30, False, "self-signed"),
    ],
)
def test_a_certificate_that_is_not_good_is_told(name: str, days: int, known: bool, shows: str, tmp_path: Path) -> None:
    tls, authority = servers.certificate(tmp_path, name=name, days=days)
    with servers.http(lambda _: Reply(), tls) as port:
        made = server(port, authority if known else None).shake_hands()

    assert isinstance(made, Distrust)
    assert shows in made.why.replace("self signed", "self-signed")


def test_a_server_that_still_speaks_old_versions_is_told(tmp_path: Path) -> None:
    tls, authority = servers.certificate(tmp_path, name=NAME)
    tls.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        tls.minimum_version = ssl.TLSVersion.TLSv1
    with servers.http(lambda _: Reply(), tls) as port:
        old = server(port, authority).accepts_old_versions()

    assert old in (True, None), "None where this machine's OpenSSL was built without them"


def test_a_server_without_tls_is_told(tmp_path: Path) -> None:
    _, authority = servers.certificate(tmp_path, name=NAME)
    with servers.http(lambda _: Reply()) as port, pytest.raises(SystemFault) as caught:
        server(port, authority).shake_hands()

    assert caught.value.reason in (Reason.BAD_ANSWER, Reason.UNREACHABLE)


def test_a_closed_port_is_unreachable() -> None:
    with pytest.raises(SystemFault, match="can't be reached") as caught:
        server(servers.closed_port(), None).shake_hands()

    assert caught.value.reason is Reason.UNREACHABLE
