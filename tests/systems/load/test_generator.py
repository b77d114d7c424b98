"""The load generator keeps its rate whatever the server does, and measures from when a request was due."""

from __future__ import annotations

import threading
import time

import pytest

from runbooks.engine.errors import InputError, SystemFault
from runbooks.systems.load.generator import Order, generate, measured, require_installed
from tests import servers
from tests.servers import Reply, Request


def order(port: int, **changed: object) -> Order:
    return Order(**{"url": f"http://127.0.0.1:{port}", "paths": ["/a", "/b"], "rate": 40, "seconds": 1} | changed)  # type: ignore[arg-type]


def test_a_stall_shows_in_the_percentiles() -> None:
    """A server that freezes for half a second: a closed model would see one slow answer, an open one sees 20."""
    arrived: list[tuple[float, str]] = []
    stall = threading.Lock()

    def answer(request: Request) -> Reply:
        arrived.append((time.monotonic(), request.path))
        if len(arrived) == 10:
            with stall:
                time.sleep(0.5)
        with stall:
            return Reply()

    with servers.http(answer) as port:
        found = generate(order(port), threading.Event())

    assert len(found.latencies_ms) == len(arrived) == 40
    assert {path for _, path in arrived} == {"/a", "/b"}
    assert found.failures == {}
    assert found.latency(50) >= 5
    assert found.latency(75) >= 100, "a quarter of the requests was due while the server stood still"
    assert found.latency(99) >= 400
    times = sorted(moment for moment, _ in arrived)
    assert times[-1] - times[0] == pytest.approx(39 / 40, abs=0.3), "the rate did not give way"


def test_answers_other_than_200_are_failures() -> None:
    with servers.http(lambda request: Reply(429 if request.path == "/b" else 200)) as port:
        found = generate(order(port, seconds=0.5), threading.Event())

    assert found.failures == {"HTTP 429": 10}
    assert found.error_percent == 50


def test_a_server_that_is_not_there_answers_nothing() -> None:
    found = generate(order(servers.closed_port(), seconds=0.25), threading.Event())

    assert sum(found.failures.values()) == 10
    assert found.error_percent == 100


def test_an_answer_that_never_comes_ends_at_its_limit() -> None:
    with servers.silent() as port:
        found = generate(order(port, seconds=0.25, timeout=0.5), threading.Event())

    assert found.failed == 10
    assert found.latency(50) >= 450


def test_it_stops_when_asked_to() -> None:
    stopping = threading.Event()
    threading.Timer(0.5, stopping.set).start()
    began = time.monotonic()

    with servers.http(lambda _: Reply()) as port, pytest.raises(SystemFault, match="stopped"):
        generate(order(port, seconds=60), stopping)

    assert time.monotonic() - began < 10


def test_what_was_never_answered_counts_as_failed_and_slow() -> None:
    told = {"latencies_ms": [1.0] * 8, "lags_ms": [0.1] * 10, "failures": {}}

    found = measured(told, order(1, seconds=0.25))

    assert (found.failures, found.latency(90)) == ({"no answer": 2}, 10_000)


def test_an_installation_without_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)

    with pytest.raises(InputError, match="not installed") as caught:
        require_installed()

    assert ".[load]" in caught.value.mend
