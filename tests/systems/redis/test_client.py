"""What a Redis server may do instead of answering, and who is let in."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import pytest

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.sandbox.world import Sandbox
from runbooks.systems.redis.client import RedisServer
from tests import servers


def server(url: str, seconds: float = 1.0) -> RedisServer:
    return RedisServer(Secret("REDIS_URL", url), seconds=seconds, reach="direct")


@pytest.fixture
def url(sandbox: Sandbox) -> str:
    return sandbox.variables("local")["REDIS_URL"]


def test_the_right_password_is_answered_and_none_is_refused(url: str) -> None:
    assert server(url).info("server")
    assert not server(url).answers_without_password()
    assert server(url).setting("appendonly") == "yes"
    assert server(url).info("persistence")["aof_enabled"] == 1


def test_a_wrong_password_is_refused_and_not_shown(url: str) -> None:
    password = str(urlsplit(url).password)

    with pytest.raises(SystemFault, match="refuse") as caught:
        server(url.replace(password, "another-password")).info("server")

    assert caught.value.reason is Reason.UNAUTHORISED
    assert "another-password" not in str(caught.value)


def test_a_closed_port_is_unreachable_and_names_the_ways_to_reach_it() -> None:
    with pytest.raises(SystemFault, match="can't be reached") as caught:
        server(f"redis://:secret-word@{servers.LOOPBACK}:{servers.closed_port()}/0").info("server")

    assert caught.value.reason is Reason.UNREACHABLE
    assert "runner" in caught.value.mend
    assert "secret-word" not in str(caught.value)


def test_a_silent_server_is_given_up() -> None:
    began = time.monotonic()
    with servers.silent() as port, pytest.raises(SystemFault, match="did not answer in time") as caught:
        server(f"redis://:secret-word@{servers.LOOPBACK}:{port}/0", seconds=0.3).info("server")

    assert caught.value.reason is Reason.TIMED_OUT
    assert time.monotonic() - began < 2


def test_a_silent_server_is_not_taken_for_one_that_refuses() -> None:
    with servers.silent() as port, pytest.raises(SystemFault):
        server(f"redis://:secret-word@{servers.LOOPBACK}:{port}/0", seconds=0.3).answers_without_password()


def test_another_protocol_is_a_bad_answer() -> None:
    with servers.saying(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port, pytest.raises(SystemFault) as caught:
        server(f"redis://{servers.LOOPBACK}:{port}/0").info("server")

    assert caught.value.reason is Reason.BAD_ANSWER


@pytest.mark.parametrize("url", ["http://somewhere", "redis://host:port/0", "nonsense"])
def test_what_is_no_url_is_the_operators_to_mend(url: str) -> None:
    with pytest.raises(InputError, match="not a Redis URL") as caught:
        server(url).info("server")

    assert caught.value.where == "REDIS_URL"
