"""Every way in which a server can fail to answer is told with its reason, in bounded time and memory."""

from __future__ import annotations

import gzip
import time
import tracemalloc
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.systems.http.client import LARGEST_BODY, HttpClient
from tests import servers
from tests.servers import Reply


def asked(
    port: int, path: str = "/", *, scheme: str = "http", seconds: float = 5, ca_file: Path | None = None
) -> object:
    with HttpClient(f"{scheme}://{servers.LOOPBACK}:{port}", seconds=seconds, ca_file=ca_file) as client:
        return client.get(path).object()


def test_an_answer_is_what_the_server_said() -> None:
    with servers.http(lambda _: Reply.json({"status": "ok"})) as port:
        assert asked(port) == {"status": "ok"}


def test_a_refused_connection_is_unreachable() -> None:
    with pytest.raises(SystemFault, match="can't be reached") as caught:
        asked(servers.closed_port())

    assert caught.value.reason is Reason.UNREACHABLE
    assert "refused" in caught.value.found


def test_a_server_that_says_nothing_is_given_up() -> None:
    with servers.silent() as port, pytest.raises(SystemFault, match="no answer in time") as caught:
        asked(port, seconds=0.3)

    assert (caught.value.reason, caught.value.found) == (Reason.TIMED_OUT, "waited 0.3 s")


def test_a_body_that_trickles_is_given_up() -> None:
    def trickle(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("content-length", "1000")
        request.end_headers()
        for _ in range(100):
            request.wfile.write(b"x")
            time.sleep(0.05)

    began = time.monotonic()
    with servers.http(trickle) as port, pytest.raises(SystemFault, match="did not end in time") as caught:
        asked(port, seconds=0.4)

    assert caught.value.reason is Reason.TIMED_OUT
    assert time.monotonic() - began < 3


def test_html_where_json_was_promised_shows_its_beginning() -> None:
    page = Reply(200, b"<html>\n<title>Log in</title>", {"content-type": "text/html"})
    with servers.http(lambda _: page) as port, pytest.raises(SystemFault, match="not JSON") as caught:
        asked(port)

    assert caught.value.reason is Reason.BAD_ANSWER
    assert "text/html" in caught.value.found
    assert "<html> <title>Log in" in caught.value.found


@pytest.mark.parametrize("value", [[], "ok", 7, None])
def test_json_of_another_kind_is_no_object(value: object) -> None:
    with servers.http(lambda _: Reply.json(value)) as port, pytest.raises(SystemFault, match="not a JSON object"):
        asked(port)


def test_a_huge_answer_is_given_up_before_it_fills_the_memory() -> None:
    def flood(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("content-length", str(100 * 1024**2))
        request.end_headers()
        block = b"x" * 65536
        for _ in range(1600):
            request.wfile.write(block)

    with servers.http(flood) as port:
        tracemalloc.start()
        try:
            with pytest.raises(SystemFault, match="far larger") as caught:
                asked(port)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert caught.value.reason is Reason.BAD_ANSWER
    assert peak < 4 * LARGEST_BODY


def test_nothing_compressed_is_asked_for() -> None:
    wanted = []

    def note(request: BaseHTTPRequestHandler) -> Reply:
        wanted.append(request.headers["accept-encoding"])
        return Reply.json({})

    with servers.http(note) as port:
        asked(port)

    assert wanted == ["identity"]


def test_a_body_that_can_not_be_unpacked_is_a_bad_answer() -> None:
    broken = Reply(200, gzip.compress(b"{}")[:-9] + b"rubbish", {"content-encoding": "gzip"})
    with servers.http(lambda _: broken) as port, pytest.raises(SystemFault) as caught:
        asked(port)

    assert caught.value.reason is Reason.BAD_ANSWER


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    paths = []

    def redirect(request: BaseHTTPRequestHandler) -> Reply:
        paths.append(request.path)
        return Reply(302, b"", {"location": "/elsewhere"})

    with servers.http(redirect) as port, HttpClient(f"http://{servers.LOOPBACK}:{port}") as client:
        assert client.get("/health").status == 302

    assert paths == ["/health"]


def test_cookies_are_not_kept() -> None:
    seen = []

    def remember(request: BaseHTTPRequestHandler) -> Reply:
        seen.append(request.headers.get("cookie"))
        return Reply(200, b"", {"set-cookie": "session=1"})

    with servers.http(remember) as port, HttpClient(f"http://{servers.LOOPBACK}:{port}") as client:
        client.get("/")
        client.get("/")

    assert seen == [None, None]


def test_a_certificate_that_its_authority_vouches_for_is_trusted(tmp_path: Path) -> None:
    tls, authority = servers.certificate(tmp_path)
    with servers.http(lambda _: Reply.json({}), tls) as port:
        assert asked(port, scheme="https", ca_file=authority) == {}


@pytest.mark.parametrize(
    ("name", "days", "known", "shows"),
    [
        (servers.LOOPBACK, -1, True, "expired"),
        ("other.example.org", 30, True, "not valid for '127.0.0.1'"),
        (servers.LOOPBACK, 30, False, "self-signed"),
    ],
)
def test_a_certificate_that_can_not_be_trusted_is_told(
    name: str, days: int, known: bool, shows: str, tmp_path: Path
) -> None:
    tls, authority = servers.certificate(tmp_path, name=name, days=days)
    with (
        servers.http(lambda _: Reply.json({}), tls) as port,
        pytest.raises(SystemFault, match="can't be trusted") as caught,
    ):
        asked(port, scheme="https", ca_file=authority if known else None)

    assert shows.replace("-", " ") in caught.value.found.replace("-", " ").replace("mismatch, certificate is ", "")


def test_tls_where_plain_http_answers_is_told() -> None:
    with servers.http(lambda _: Reply.json({})) as port, pytest.raises(SystemFault) as caught:
        asked(port, scheme="https")

    assert caught.value.reason is Reason.UNREACHABLE


def test_an_address_that_is_no_url_is_the_operators_to_mend() -> None:
    with pytest.raises(InputError, match="not a URL"):
        HttpClient("http://[::1")


def test_an_authority_that_can_not_be_read_is_the_operators_to_mend(tmp_path: Path) -> None:
    (tmp_path / "authority.pem").write_text("nothing")

    with pytest.raises(InputError, match="authority"):
        HttpClient("https://localhost", ca_file=tmp_path / "authority.pem")
