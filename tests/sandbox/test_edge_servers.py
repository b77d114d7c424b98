"""The proxy and the name server, under a process manager of their own."""

from __future__ import annotations

import contextlib
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import psutil
import pytest

from runbooks.engine.wait import until
from runbooks.sandbox import dns_server, names, ports, proxy_server, slots, zone
from runbooks.sandbox.environments import ENVIRONMENTS
from runbooks.sandbox.layout import Layout
from runbooks.sandbox.process_manager import Manager, ensure_manager
from runbooks.systems.dns.client import DnsClient
from runbooks.systems.hosts import slot_commands
from runbooks.systems.hosts.access import Here
from runbooks.systems.http.client import HttpClient
from runbooks.systems.platform.hosting import Slot
from tests import servers
from tests.sandbox.servers import fresh_layout
from tests.servers import Reply, Request

API = names.API["local"]


@dataclass(frozen=True)
class Running:
    layout: Layout
    numbers: dict[str, int]
    manager: Manager

    def names(self) -> DnsClient:
        return DnsClient([(ports.LOOPBACK, self.numbers[ports.DNS])])

    def web(self, url: str) -> HttpClient:
        return HttpClient(url, ca_file=self.layout.authority_certificate, resolve=self.names().address)

    def api(self) -> HttpClient:
        return self.web(names.api_url("local", self.numbers))


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    applications = [program for name in ENVIRONMENTS for program in slots.programs(name)]
    wanted = [ports.DNS, ports.PROXY, ports.PROXY_PLAIN, *applications]
    with fresh_layout() as layout:
        numbers = ports.ensure(layout, wanted)
        programs = [dns_server.prepare(layout, numbers[ports.DNS]), proxy_server.prepare(layout, numbers)]
        manager = ensure_manager(layout, programs)
        dns_server.ready(numbers[ports.DNS])
        proxy_server.ready(numbers)
        yield Running(layout, numbers, manager)


def send_to(layout: Layout, slot: Slot, port: int) -> None:
    """Have the environment's next requests answered by what listens on this port, as a deploy does it."""
    folder = layout.slot("local", slot)
    (folder / "address").write_text(f"{ports.LOOPBACK}:{port}")
    (folder / "placed").touch()
    done = Here().run(slot_commands.switch(str(layout.host("local")), 1, slot))
    assert done.status == 0, done.errors


def saying(word: str) -> contextlib.AbstractContextManager[int]:
    return servers.http(lambda _: Reply(200, word.encode()))


def test_a_request_by_name_reaches_the_application_behind(running: Running) -> None:
    heard = []

    def note(request: Request) -> Reply:
        heard.append((request.headers["host"], request.headers["x-forwarded-proto"]))
        return Reply(200, b"behind")

    with servers.http(note) as port, running.api() as client:
        send_to(running.layout, Slot.BLUE, port)
        assert client.get("/health").body == b"behind"

    assert heard == [(f"{API}:{running.numbers[ports.PROXY]}", "https")]


def test_a_switch_of_the_upstream_loses_no_request(running: Running) -> None:
    answers: list[tuple[int, bytes]] = []
    stop = threading.Event()

    def ask() -> None:
        with running.api() as client:
            while not stop.is_set():
                said = client.get("/")
                answers.append((said.status, said.body))

    with saying("blue") as blue, saying("green") as green:
        send_to(running.layout, Slot.BLUE, blue)
        asking = threading.Thread(target=ask)
        asking.start()
        try:
            until(lambda: (200, b"blue") in answers, seconds=10, what="blue was never asked")
            send_to(running.layout, Slot.GREEN, green)
            until(lambda: (200, b"green") in answers, seconds=10, what="green was never asked")
        finally:
            stop.set()
            asking.join()

    assert set(answers) == {(200, b"blue"), (200, b"green")}


def test_plain_http_is_redirected(running: Running) -> None:
    with running.web(names.plain_url("local", running.numbers)) as plain:
        answer = plain.get("/health?a=b")

    assert answer.status == 308
    assert answer.headers["location"] == f"{names.api_url('local', running.numbers)}/health?a=b"


def test_the_public_site_calls_the_public_address(running: Running) -> None:
    with running.web(names.frontend_url(running.numbers)) as site:
        assert b"main.js" in site.get("/").body
        assert names.api_url("local", running.numbers).encode() in site.get("/main.js").body


def test_killed_servers_come_back(running: Running) -> None:
    before = {name: running.manager.pid(name) for name in (ports.DNS, ports.PROXY)}
    for pid in before.values():
        psutil.Process(pid).kill()

    for name, pid in before.items():
        until(lambda name=name, pid=pid: running.manager.pid(name) not in {0, pid}, seconds=15, what="no new server")  # type: ignore[misc]
    dns_server.ready(running.numbers[ports.DNS])
    proxy_server.ready(running.numbers)


def test_a_changed_record_counts_at_once_and_is_taken_back(running: Running) -> None:
    usual = running.names().texts(f"send.{names.DOMAIN}")

    zone.change(running.layout, f"send.{names.DOMAIN}", "TXT", [])
    gone = running.names().texts(f"send.{names.DOMAIN}")
    zone.change(running.layout, f"send.{names.DOMAIN}", "TXT", None)

    assert usual == ("v=spf1 include:amazonses.com ~all",)
    assert gone == ()
    assert running.names().texts(f"send.{names.DOMAIN}") == usual


def test_only_the_owner_can_read_keys_and_settings(running: Running) -> None:
    layout = running.layout
    for file in (layout.proxy_configuration, layout.zone, layout.dns / "dkim-key.pem"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_preparing_again_restarts_nothing(running: Running) -> None:
    before = {name: running.manager.pid(name) for name in (ports.DNS, ports.PROXY)}
    programs = [
        dns_server.prepare(running.layout, running.numbers[ports.DNS]),
        proxy_server.prepare(running.layout, running.numbers),
    ]

    ensure_manager(running.layout, programs)

    assert {name: running.manager.pid(name) for name in before} == before
