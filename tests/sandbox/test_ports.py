from __future__ import annotations

import json
import socket
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from runbooks.engine.errors import InputError
from runbooks.sandbox import ports
from runbooks.sandbox.files import read_state, update_state
from runbooks.sandbox.layout import Layout


def test_ports_are_kept_and_new_ones_added(layout: Layout) -> None:
    first = ports.ensure(layout, [ports.POSTGRES, ports.application("local", "blue")])
    second = ports.ensure(layout, [ports.POSTGRES, ports.VALKEY])

    assert first[ports.POSTGRES] == second[ports.POSTGRES]
    assert len({*first.values(), *second.values()}) == 3
    assert ports.recorded(layout) == first | second
    assert stat.S_IMODE(layout.state.stat().st_mode) == 0o600


def test_a_port_that_a_stranger_has_taken_is_replaced(layout: Layout) -> None:
    before = ports.ensure(layout, ["a", "b"])

    with socket.create_server((ports.LOOPBACK, before["a"])):
        after = ports.ensure(layout, ["a", "b"])

    assert after["a"] != before["a"]
    assert after["b"] == before["b"]
    assert ports.recorded(layout) == after


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0"])
def test_a_listening_port_is_not_free(address: str) -> None:
    with socket.create_server((address, 0)) as server:
        port = server.getsockname()[1]
        assert not ports.is_free(port)

    assert ports.is_free(port)


def test_connections_that_wind_down_do_not_take_a_port() -> None:
    with socket.create_server((ports.LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection((ports.LOOPBACK, port)):
            accepted, _ = server.accept()
            accepted.close()

    assert ports.is_free(port)


@pytest.mark.parametrize("text", ["{", "[]", '{"ports": {"postgres": "5432"}}'])
def test_a_damaged_state_is_refused(layout: Layout, text: str) -> None:
    layout.state.write_text(text)

    with pytest.raises(InputError):
        ports.ensure(layout, ["a"])

    assert layout.state.read_text() == text


def test_two_writers_of_the_state_do_not_lose_each_others_entries(layout: Layout) -> None:
    keys = [f"key{number}" for number in range(20)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: update_state(layout, key, key), keys))

    assert read_state(layout) == {key: key for key in keys}
    assert json.loads(layout.state.read_text()) == read_state(layout)


def test_ports_are_chosen_where_the_environment_says(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ports.VARIABLE, "24000-24099")
    names = [ports.POSTGRES, *ports.OBJECT_STORE_PARTS, ports.DNS]

    chosen = ports.ensure(layout, names)

    every = [port for name in names for port in ports.listening(name, chosen[name])]
    assert len(set(every)) == len(every)
    assert [port for port in every if not (24_000 <= port < 24_100 or 14_000 <= port < 14_100)] == []


@pytest.mark.parametrize("text", ["", "24000", "24000-", "31950-32050", "1024-2048", "24000-24050", "a-b"])
def test_a_range_that_can_not_be_meant_is_refused(layout: Layout, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(ports.VARIABLE, text)

    with pytest.raises(InputError, match="SANDBOX_PORTS names no part"):
        ports.ensure(layout, [ports.POSTGRES])
