from __future__ import annotations

import dataclasses
import json
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.engine.wait import until
from runbooks.sandbox import launch, ports, postgres_server, process_manager, valkey_server
from runbooks.sandbox.layout import Layout
from runbooks.sandbox.leftovers import MARKER, clear_leftovers, leftovers
from runbooks.sandbox.listening import sockets
from runbooks.sandbox.process_manager import Manager, ensure_manager, shut_down
from runbooks.sandbox.program import LAUNCHER, Program, configuration
from runbooks.systems.hosts.supervisor_rpc import Interface
from tests.sandbox.servers import PYTHON, fresh_layout, sleeper, stranger


def manager_process(manager: Manager) -> psutil.Process:
    return psutil.Process(manager.interface.call("getPID"))


def pids(manager: Manager) -> dict[str, int]:
    return {name: manager.pid(name) for name in manager.states()}


def no_process(layout: Layout, *, seconds: float = 10) -> None:
    until(lambda: not leftovers(layout), seconds=seconds, what="processes were left")


# --- the same programs, other programs


def test_ensuring_twice_starts_nothing_twice(layout: Layout) -> None:
    manager = ensure_manager(layout, [sleeper("a"), sleeper("b")])
    before = (manager_process(manager).pid, pids(manager))

    again = ensure_manager(layout, [sleeper("b"), sleeper("a")])

    assert (manager_process(again).pid, pids(again)) == before


def test_only_what_changed_is_restarted(layout: Layout) -> None:
    manager = ensure_manager(layout, [sleeper("same"), sleeper("changed"), sleeper("removed")])
    before = pids(manager)

    ensure_manager(layout, [sleeper("same"), sleeper("changed", note="other"), sleeper("added")])

    after = pids(manager)
    assert set(after) == {"same", "changed", "added"}
    assert after["same"] == before["same"]
    assert after["changed"] not in {0, before["changed"]}
    assert not psutil.pid_exists(before["removed"])
    assert len(list(layout.programs.iterdir())) == 3


def test_a_change_in_a_watched_file_is_a_change(layout: Layout) -> None:
    file = layout.root / "program.conf"
    before: dict[str, int] = {}
    for text in ("one", "two"):
        file.write_text(text)
        manager = ensure_manager(layout, [dataclasses.replace(sleeper(), watched=[file])])
        assert pids(manager) != before
        before = pids(manager)


def test_a_reload_that_was_killed_half_way_is_completed(layout: Layout) -> None:
    manager = ensure_manager(layout, [sleeper("a")])
    manager.interface.call("stopProcess", "a")
    manager.interface.call("removeProcessGroup", "a")

    ensure_manager(layout, [sleeper("a")])

    assert manager.states()["a"] in {"STARTING", "RUNNING"}


# --- starting and stopping programs


def test_a_stopped_program_stays_stopped_until_it_is_started(layout: Layout) -> None:
    manager = ensure_manager(layout, [sleeper()])

    manager.stop("sleeper")
    manager.stop("sleeper")
    ensure_manager(layout, [sleeper()])
    assert manager.states() == {"sleeper": "STOPPED"}

    manager.start("sleeper")
    manager.start("sleeper")
    assert manager.pid("sleeper") != 0


def test_a_program_that_ended_is_started_by_the_next_ensure(layout: Layout) -> None:
    programs = [sleeper(autorestart=False)]
    manager = ensure_manager(layout, programs)
    until(lambda: manager.states()["sleeper"] == "RUNNING", seconds=5, what="it does not count as running")
    psutil.Process(manager.pid("sleeper")).kill()
    until(lambda: manager.states()["sleeper"] == "EXITED", seconds=5, what="its end was not seen")

    ensure_manager(layout, programs)

    assert manager.states()["sleeper"] in {"STARTING", "RUNNING"}


def test_a_program_that_ignores_its_stop_signal_is_killed(layout: Layout) -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    )
    deaf = dataclasses.replace(sleeper("deaf"), argv=[PYTHON, "-I", "-c", code], stop_seconds=1)
    manager = ensure_manager(layout, [deaf])
    until(lambda: "deaf" in layout.log("deaf").read_text(), seconds=10, what="it did not start")

    manager.stop("deaf", seconds=10)

    assert leftovers(layout) == [manager_process(manager)]


def test_a_program_gets_its_own_variables_and_nothing_else(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of the operator")
    manager = ensure_manager(layout, [sleeper(note="100 % ; # 'quoted' \"twice\"\n")])
    process = psutil.Process(manager.pid("sleeper"))
    until(lambda: process.cmdline()[0] == "/bin/sleep", seconds=5, what="it was not launched")

    assert process.environ() == {
        "NOTE": "100 % ; # 'quoted' \"twice\"\n",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        MARKER: str(layout.root),
    }


def test_an_unknown_program_is_refused(layout: Layout) -> None:
    manager = ensure_manager(layout, [])

    with pytest.raises(SystemFault, match="refused") as caught:
        manager.start("nobody-knows")

    assert caught.value.reason is Reason.REFUSED


# --- kill -9, leftovers, strangers


def test_a_killed_manager_takes_its_programs_along(layout: Layout) -> None:
    manager = ensure_manager(layout, [sleeper("a"), sleeper("b")])
    old = manager_process(manager)
    until(lambda: len(leftovers(layout)) == 3, seconds=5, what="they did not start")

    old.kill()
    no_process(layout)

    assert not manager.alive()
    assert manager_process(ensure_manager(layout, [sleeper("a"), sleeper("b")])) != old


def test_a_program_does_not_start_under_a_manager_that_has_died(layout: Layout) -> None:
    program = sleeper()
    program.launch_path(layout).write_text(program.launch_file(layout))
    with stranger() as other:
        layout.supervisor_pid.write_text(str(other.pid))
        argv = [PYTHON, "-I", str(LAUNCHER), str(program.launch_path(layout))]
        done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=20)

    assert done.returncode == 1
    assert "has ended" in done.stderr


def test_leftovers_are_ended_and_strangers_are_not(layout: Layout) -> None:
    marked = {MARKER: str(layout.root)}
    other = {MARKER: str(layout.root) + "-other"}
    deaf = {"preexec_fn": lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN)}
    with (
        stranger(env=marked) as ours,
        stranger(env=marked, **deaf) as stubborn,
        stranger(env=other) as of_another,
        stranger(cwd=layout.root) as shell,
    ):
        assert clear_leftovers(layout, seconds=0.5) == sorted([ours.pid, stubborn.pid])
        assert (ours.wait(), stubborn.wait()) == (-signal.SIGTERM, -signal.SIGKILL)
        assert of_another.poll() is shell.poll() is None


def test_a_recycled_pid_in_the_managers_pid_file_harms_nobody(layout: Layout) -> None:
    with stranger() as other:
        layout.supervisor_pid.write_text(f"{other.pid}\n")

        ensure_manager(layout, [sleeper()])
        shut_down(layout)

        assert other.poll() is None


def test_a_manager_that_hangs_is_replaced(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = ensure_manager(layout, [sleeper()])
    hanging = manager_process(manager)
    hanging.suspend()
    monkeypatch.setattr(process_manager, "clear_leftovers", lambda layout: clear_leftovers(layout, seconds=0.5))

    again = ensure_manager(layout, [sleeper()])

    assert manager_process(again) != hanging
    until(lambda: len(leftovers(layout)) == 2, seconds=60, what="its program does not start")


def test_a_managers_port_that_a_stranger_took_is_replaced(layout: Layout) -> None:
    ensure_manager(layout, [sleeper()])
    port = ports.recorded(layout)[ports.SUPERVISOR]
    shut_down(layout)

    with socket.create_server(("127.0.0.1", port)):
        manager = ensure_manager(layout, [sleeper()])

        assert manager.alive()
        assert manager.interface.port != port


def test_a_killed_ensure_leaves_nothing_that_the_next_cannot_use(layout: Layout) -> None:
    """Killed after the daemon was started and before anything else."""
    port = ports.ensure(layout, [ports.SUPERVISOR])[ports.SUPERVISOR]
    process_manager._write_configuration(layout, [sleeper("a")], port)
    process_manager._run_supervisord(layout)

    manager = ensure_manager(layout, [sleeper("b")])

    assert list(manager.states()) == ["b"]


# --- who may ask it


def test_the_interface_wants_its_password(layout: Layout) -> None:
    manager = ensure_manager(layout, [])
    wrong = Interface(manager.interface.port, "runbooks", Secret("supervisor", "wrong"))

    with pytest.raises(SystemFault) as caught:
        wrong.call("getState")

    assert caught.value.reason is Reason.UNAUTHORISED
    assert "wrong" not in str(caught.value)


def test_a_manager_that_never_ran_is_unreachable(layout: Layout) -> None:
    manager = Manager(layout)

    assert not manager.alive()
    with pytest.raises(SystemFault, match="never started"):
        manager.states()
    ports.ensure(layout, [ports.SUPERVISOR])
    with pytest.raises(SystemFault, match="can't be reached"):
        manager.states()


def test_something_else_on_its_port_is_no_manager(layout: Layout) -> None:
    port = ports.ensure(layout, [ports.SUPERVISOR])[ports.SUPERVISOR]
    with socket.create_server(("127.0.0.1", port)) as server:

        def greet() -> None:
            with server.accept()[0] as connection:
                connection.recv(65536)
                connection.sendall(b"220 mail\r\n")

        mail = threading.Thread(target=greet)
        mail.start()
        with pytest.raises(SystemFault) as caught:
            Manager(layout).states()
        mail.join()

    assert caught.value.reason is Reason.BAD_ANSWER


# --- what is written


def test_a_percent_sign_in_a_path_is_escaped(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "50%")

    text = configuration(layout, [sleeper()], port=1, user="u", password=Secret("p", "hidden"))

    assert "50%%/" in text
    assert "50%/" not in text


@pytest.mark.parametrize("name", ["a ;b", "a #b", "a'b", 'a"b', "a\nb"])
def test_a_path_that_the_configuration_cannot_hold_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError):
        configuration(Layout(tmp_path / name), [], port=1, user="u", password=Secret("p", "hidden"))


@pytest.mark.parametrize("name", ["", "a b", "a]", "a:b", "a,b"])
def test_a_program_name_is_plain(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError):
        configuration(Layout(tmp_path), [sleeper(name)], port=1, user="u", password=Secret("p", "hidden"))


def test_a_launch_file_says_what_to_run(tmp_path: Path) -> None:
    program = Program("web", ["/bin/true"], {"A": "1"}, Path("/"), stop_signal=signal.SIGINT)

    body = json.loads(program.launch_file(Layout(tmp_path)))

    assert launch.environment(body) == {
        "A": "1",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        MARKER: str(tmp_path),
    }
    assert (body["argv"], body["stop_signal"], body["user"]) == (["/bin/true"], 2, None)


# --- the real servers


@pytest.fixture
def servers(installed: Layout) -> Iterator[tuple[Layout, list[Program]]]:
    with fresh_layout(installed) as layout:
        port = ports.ensure(layout, [ports.POSTGRES, ports.VALKEY])
        programs = [
            postgres_server.prepare(layout, port[ports.POSTGRES]),
            valkey_server.prepare(layout, port[ports.VALKEY]),
        ]
        ensure_manager(layout, programs)
        all_ready(layout)
        yield layout, programs


def all_ready(layout: Layout) -> None:
    port = ports.recorded(layout)
    postgres_server.ready(layout, port[ports.POSTGRES])
    valkey_server.ready(layout, port[ports.VALKEY])


def test_nothing_listens_off_loopback(servers: tuple[Layout, list[Program]]) -> None:
    layout, _ = servers

    found = sockets(layout)

    assert {listening.address for listening in found} == {"127.0.0.1"}
    assert {listening.port for listening in found} == set(ports.recorded(layout).values())
    assert ports.ensure(layout, ports.recorded(layout)) == ports.recorded(layout)


def test_no_secret_is_in_a_command_line(servers: tuple[Layout, list[Program]]) -> None:
    layout, _ = servers
    files = (layout.postgres_password, layout.valkey_password, layout.supervisor_client)
    secrets = [file.read_text() for file in files]

    for process in leftovers(layout):
        assert not any(secret in " ".join(process.cmdline()) for secret in secrets)


def test_a_killed_manager_leaves_no_server_and_the_next_start_has_the_data(
    servers: tuple[Layout, list[Program]],
) -> None:
    layout, programs = servers
    port = ports.recorded(layout)[ports.POSTGRES]
    with postgres_server.connect(layout, port) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    # A client that stays would hold up a "smart" shutdown for ever.
    held = postgres_server.connect(layout, port)

    manager_process(Manager(layout)).kill()
    no_process(layout)
    with pytest.raises(psycopg.OperationalError):
        held.execute("SELECT 1")
    assert sockets(layout) == []

    ensure_manager(layout, programs)
    all_ready(layout)
    assert ports.recorded(layout)[ports.POSTGRES] == port
    with postgres_server.connect(layout, port) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_everything_killed_at_once_starts_again(servers: tuple[Layout, list[Program]]) -> None:
    layout, programs = servers
    for process in leftovers(layout):
        os.kill(process.pid, signal.SIGKILL)
    no_process(layout)

    ensure_manager(layout, programs)

    all_ready(layout)


def test_a_shutdown_is_complete_and_can_be_repeated(servers: tuple[Layout, list[Program]]) -> None:
    layout, _ = servers
    log = layout.log("postgres")

    shut_down(layout)

    assert leftovers(layout) == []
    assert all(ports.is_free(port) for port in ports.recorded(layout).values())
    assert "database system is shut down" in log.read_text()
    shut_down(layout)
