from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psutil
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.engine.wait import until
from runbooks.sandbox import ports, valkey_server
from runbooks.sandbox.layout import Layout
from runbooks.sandbox.process_manager import Manager, ensure_manager
from tests.sandbox.servers import fresh_layout, is_running_as_root


@dataclass(frozen=True)
class Running:
    layout: Layout
    port: int
    manager: Manager

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port, password=valkey_server.password(self.layout).reveal())


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with fresh_layout() as layout:
        port = ports.ensure(layout, [ports.VALKEY])[ports.VALKEY]
        manager = ensure_manager(layout, [valkey_server.prepare(layout, port)])
        valkey_server.ready(layout, port)
        yield Running(layout, port, manager)


def test_a_killed_server_comes_back_with_what_was_written(running: Running) -> None:
    before = running.manager.pid("valkey")
    with running.client() as client:
        client.set("kept", "yes")
        assert client.execute_command("WAITAOF", 1, 0, 5000) == [1, 0]

    psutil.Process(before).kill()
    until(lambda: running.manager.pid("valkey") not in {0, before}, seconds=15, what="no new server")
    valkey_server.ready(running.layout, running.port)

    with running.client() as client:
        assert client.get("kept") == b"yes"


def test_a_stop_while_the_append_only_file_is_first_written_is_obeyed(layout: Layout) -> None:
    """A fresh server is in that state for a moment; here it is drawn out to a second."""
    port = ports.ensure(layout, [ports.VALKEY])[ports.VALKEY]
    manager = ensure_manager(layout, [valkey_server.prepare(layout, port)])
    valkey_server.ready(layout, port)
    with Running(layout, port, manager).client() as client:
        client.set("key", "value")
        client.config_set("appendonly", "no")
        client.config_set("rdb-key-save-delay", 1_000_000)
        client.config_set("appendonly", "yes")

    manager.stop("valkey", seconds=8)

    assert manager.states() == {"valkey": "STOPPED"}
    assert "SIGKILL" not in layout.supervisor_log.read_text()
    assert ports.is_free(port)


@pytest.mark.parametrize("password", [None, "wrong"])
def test_a_wrong_password_is_refused(running: Running, password: str | None) -> None:
    client = redis.Redis(port=running.port, password=password, retry=Retry(NoBackoff(), 0))

    with client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_a_wrong_password_is_not_ready(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(valkey_server, "password", lambda _: Secret("valkey", "wrong"))

    with pytest.raises(SystemFault, match="Valkey did not answer") as caught:
        valkey_server.ready(running.layout, running.port, seconds=0.1)

    assert caught.value.reason is Reason.TIMED_OUT
    assert "AuthenticationError" in caught.value.found


def test_the_password_is_in_no_command_line_and_no_readable_file(running: Running) -> None:
    secret = valkey_server.password(running.layout).reveal()
    process = psutil.Process(running.manager.pid("valkey"))

    assert secret not in " ".join(process.cmdline())
    for path in running.layout.root.rglob("*"):
        if path.is_file() and path.stat().st_mode & 0o077:
            assert secret.encode() not in path.read_bytes(), path


def test_root_gives_up_its_rights(running: Running) -> None:
    process = psutil.Process(running.manager.pid("valkey"))

    assert process.username() == ("nobody" if is_running_as_root() else psutil.Process().username())


def test_it_writes_what_it_was_told(running: Running) -> None:
    with running.client() as client:
        settings = client.config_get("append*", "bind", "protected-mode", "save")

    assert settings["appendonly"] == "yes"
    assert settings["appendfsync"] == "everysec"
    assert settings["bind"] == "127.0.0.1"
    assert settings["save"] == "60 1"


def test_preparing_again_changes_nothing(running: Running) -> None:
    program = valkey_server.prepare(running.layout, running.port)
    before = running.manager.pid("valkey")

    ensure_manager(running.layout, [program])

    assert running.manager.pid("valkey") == before
