"""The port, answered by the sandbox's own supervisor, and supervisor's interface behind a socket's file."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from xmlrpc.server import SimpleXMLRPCDispatcher, SimpleXMLRPCRequestHandler

import psutil
import pytest

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.engine.wait import until
from runbooks.sandbox import service
from runbooks.sandbox.world import Sandbox
from runbooks.systems.hosts.host import Host
from runbooks.systems.hosts.runner import Local
from runbooks.systems.hosts.supervisor import Supervisor
from runbooks.systems.hosts.supervisor_rpc import Interface
from runbooks.systems.platform.port import Platform, Resource


@pytest.fixture
def program(sandbox: Sandbox) -> str:
    """That of the slot which answers requests; another test may have changed it."""
    return sandbox.active_program("local")


@pytest.fixture
def host(sandbox: Sandbox, program: str) -> Platform:
    layout = sandbox.layout
    manager = Supervisor(Local(), str(layout.supervisor_configuration), program)
    return Host(Local(), manager, str(layout.builds("local")))


def test_it_tells_how_the_application_is_run(host: Platform) -> None:
    settings = host.settings()

    assert (settings.restart.setting, settings.restart.restarts) == ("autorestart=true", True)
    assert (settings.stop.signal, settings.stop.seconds) == ("SIGTERM", 10)
    assert host.health_check_path() == "/health"


def test_it_tells_what_runs_and_within_which_limits(host: Platform, sandbox: Sandbox, program: str) -> None:
    running, limits = host.running(), {limit.resource: limit for limit in host.limits()}

    assert running.pid == sandbox.manager.pid(program)
    assert running.restarts == 0
    assert abs(running.started.timestamp() - psutil.Process(running.pid).create_time()) < 2
    assert host.processes().name == "uvicorn"
    assert limits[Resource.MEMORY].most == service.LIMITS["AS"]
    assert 0 < (limits[Resource.MEMORY].used or 0) < service.LIMITS["AS"]
    assert limits[Resource.OPEN_FILES].most == service.LIMITS["NOFILE"]


def test_the_log_of_the_running_release_begins_with_its_start(host: Platform, program: str) -> None:
    log = host.log_of_running()

    assert log.complete
    assert log.lines[0].text.endswith(f"INFO launch {program} starts with pid {host.running().pid}")


def test_a_request_stands_in_the_log_after_a_mark(host: Platform, sandbox: Sandbox) -> None:
    mark = host.log_end()
    with sandbox.http("local") as application:
        application.get("/health")

    until(
        lambda: any("GET /health 200" in line.text for line in host.log_after(mark).lines), seconds=60, what="no line"
    )


def test_each_build_is_recorded_with_what_it_took(host: Platform, sandbox: Sandbox) -> None:
    build = host.builds()[-1]

    assert build.release == sandbox.deployed("local")["commit"]
    assert build.succeeded
    assert 0 < build.seconds < 10
    assert Path(build.log).exists()


def test_a_program_that_is_not_there_is_told(sandbox: Sandbox) -> None:
    with pytest.raises(SystemFault, match="no program shop"):
        Supervisor(Local(), str(sandbox.layout.supervisor_configuration), "shop").settings()


def test_a_configuration_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SystemFault) as caught:
        Supervisor(Local(), str(tmp_path / "supervisord.conf"), "shop").settings()

    assert caught.value.mend == "see platform.service.configuration"


class Handler(SimpleXMLRPCRequestHandler):
    def address_string(self) -> str:
        return "socket"

    def log_message(self, *_: object) -> None:
        pass

    disable_nagle_algorithm = False


class Server(socketserver.UnixStreamServer, SimpleXMLRPCDispatcher):
    logRequests = False

    def __init__(self, path: str) -> None:
        SimpleXMLRPCDispatcher.__init__(self)
        socketserver.UnixStreamServer.__init__(self, path, Handler)


@pytest.fixture
def socket_file(tmp_path: Path) -> Iterator[str]:
    path = str(tmp_path / "s")
    with Server(path) as server:
        server.register_function(lambda: {"statecode": 1}, "supervisor.getState")
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield path
        server.shutdown()
        thread.join()


def test_an_interface_behind_a_sockets_file_is_asked_there(socket_file: str) -> None:
    assert Interface(None, "", Secret("p", ""), socket_file).call("getState") == {"statecode": 1}


def test_a_sockets_file_that_nobody_listens_at_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(SystemFault) as caught:
        Interface(None, "", Secret("p", ""), str(tmp_path / "s")).call("getState")

    assert caught.value.reason is Reason.UNREACHABLE
