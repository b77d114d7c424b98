"""The sandbox through its commands: what they leave, what they show to nobody, and what they mend after a kill."""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from runbooks import project as project_folder
from runbooks.engine.wait import until
from runbooks.sandbox import controls, ports, releases
from runbooks.sandbox.environments import ENVIRONMENTS, new_password
from runbooks.sandbox.faults.catalogue import FAULTS
from runbooks.sandbox.layout import Layout, prepare
from runbooks.sandbox.leftovers import leftovers
from runbooks.sandbox.listening import sockets
from runbooks.sandbox.servers import SERVERS
from runbooks.sandbox.world import Sandbox
from tests.conftest import Shell
from tests.crash.sandboxes import VERIFY, all_is_recorded, killed_at, nothing_runs, project, succeeds


@pytest.fixture(scope="module")
def own_project(installed: Layout) -> Iterator[Shell]:
    """A sandbox that may be killed: the session's own is left in peace."""
    with project(installed) as shell:
        yield shell


@pytest.fixture
def shell(own_project: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Its project, with everything running, also for code that is called in this process."""
    monkeypatch.setenv(project_folder.VARIABLE, str(own_project.project))
    if not Sandbox.of(own_project.project).well():
        succeeds(own_project, "sandbox.up")
    Sandbox.of(own_project.project).forget_rate_limits()
    return own_project


@pytest.fixture
def sandbox(shell: Shell) -> Sandbox:
    return Sandbox.of(shell.project)


@pytest.fixture
def fresh(installed: Layout) -> Iterator[Shell]:
    """A project that was never started, with PostgreSQL unpacked."""
    with project(installed) as shell:
        yield shell


def pids(sandbox: Sandbox) -> set[int]:
    return {process.pid for process in leftovers(sandbox.layout)}


# --- up, status, down


def test_what_is_up_is_shown_and_what_is_down_has_left_nothing(shell: Shell, sandbox: Sandbox) -> None:
    # The process manager calls a program "starting" until it has lived for a second, and readiness may come sooner.
    idle = {f"{sandbox.active_program(name).removesuffix('-blue')}-green": "STOPPED" for name in ENVIRONMENTS}
    wanted = {name: idle.get(name, "RUNNING") for name in sandbox.manager.states()}
    until(lambda: sandbox.manager.states() == wanted, seconds=10, what="not all are running")
    shown = succeeds(shell, "sandbox.status")

    assert idle.keys() < wanted.keys()
    for name, state in wanted.items():
        where = rf" +127\.0\.0\.1:{sandbox.numbers()[name]}" if name != "timer" else ""
        assert re.search(rf"{name} +{state.lower()}{where}\n", shown), name

    succeeds(shell, "sandbox.down")
    nothing_runs(shell)
    assert all(ports.is_free(port) for port in sandbox.numbers().values())
    assert "it does not run; to start it: invoke sandbox.up" in succeeds(shell, "sandbox.status")
    assert "already so" in succeeds(shell, "sandbox.down")


def test_a_second_start_changes_nothing(shell: Shell, sandbox: Sandbox) -> None:
    before = pids(sandbox)

    said = succeeds(shell, "sandbox.up")

    assert "changed " not in said
    assert pids(sandbox) == before


def test_nothing_listens_off_loopback(sandbox: Sandbox) -> None:
    found = sockets(sandbox.layout)

    assert {each.address for each in found} == {"127.0.0.1"}
    idle = {f"{sandbox.active_program(name).removesuffix('-blue')}-green" for name in ENVIRONMENTS}
    listening = {name: port for name, port in sandbox.numbers().items() if name not in idle}
    wanted = {each for name, port in listening.items() for each in ports.listening(name, port)}
    assert {each.port for each in found} == wanted


def test_a_stolen_port_is_replaced(shell: Shell, sandbox: Sandbox) -> None:
    name = sandbox.active_program("local")
    succeeds(shell, "sandbox.down")
    stolen = sandbox.numbers()[name]
    with socket.create_server((ports.LOOPBACK, stolen)):
        succeeds(shell, *VERIFY)

        assert sandbox.numbers()[name] != stolen
        assert sandbox.well()


def test_a_plan_changes_nothing(bare_shell: Shell, shell: Shell) -> None:
    for each in (bare_shell, shell):
        before = tree(each.project)
        for command in ("sandbox.up", "sandbox.down"):
            assert "nothing is changed" in succeeds(each, command, "--plan")
        assert tree(each.project) == before


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    """Mode and size of everything that a command of ours could make; servers write as they like."""
    return {
        str(path): (path.lstat().st_mode, 0 if path.is_dir() else path.lstat().st_size)
        for path in folder.rglob("*")
        if "data" not in path.parts and "logs" not in path.parts
    }


# --- kill -9

PROGRAMS = (*(server.name for server in SERVERS), *(ports.application(name, "blue") for name in ENVIRONMENTS))


def manager_of(sandbox: Sandbox) -> list[psutil.Process]:
    return [psutil.Process(sandbox.manager.interface.call("getPID"))]


def a_backend(sandbox: Sandbox) -> list[psutil.Process]:
    """One of PostgreSQL's processes that serves a client."""
    with sandbox.superuser("local") as connection:
        query = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND usename <> 'postgres'"
        row = connection.execute(query + " UNION ALL SELECT pg_backend_pid() LIMIT 1").fetchone()
        assert row is not None
        return [psutil.Process(row[0])]


def of_program(name: str) -> Callable[[Sandbox], list[psutil.Process]]:
    return lambda sandbox: [psutil.Process(sandbox.manager.pid(name))]


VICTIMS: dict[str, Callable[[Sandbox], list[psutil.Process]]] = {
    "the process manager": manager_of,
    "a backend of PostgreSQL": a_backend,
    "everything at once": lambda sandbox: leftovers(sandbox.layout),
    **{name: of_program(name) for name in PROGRAMS},
}

QUICK = "everything at once"
"""The victims that the quick suite takes; the others are for the long one."""


@pytest.mark.parametrize(
    "victim", [pytest.param(name, marks=[] if name == QUICK else pytest.mark.crash) for name in VICTIMS]
)
def test_the_next_verification_recovers_from_a_kill_of(victim: str, shell: Shell, sandbox: Sandbox) -> None:
    for process in VICTIMS[victim](sandbox):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()

    succeeds(shell, *VERIFY)

    until(sandbox.well, seconds=10, what="not all of it answers")


@pytest.mark.crash
@pytest.mark.parametrize("child", ["alembic", "initdb", "app.seed"])
def test_what_a_killed_start_was_running_does_not_go_on(child: str, fresh: Shell) -> None:
    layout = prepare(fresh.project)

    def running() -> list[psutil.Process]:
        return [each for each in leftovers(layout) if any(Path(part).name == child for part in command_line(each))]

    start = fresh.start("sandbox.up")
    try:
        until(running, seconds=60, what=f"{child} was not started", pause=0.002)
    finally:
        start.kill()
        start.communicate()

    succeeds(fresh, *VERIFY)
    assert running() == []


def command_line(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_two_starts_at_once_do_not_meet(shell: Shell) -> None:
    succeeds(shell, "sandbox.down")

    both = [shell.start("sandbox.up") for _ in range(2)]
    said = [start.communicate(timeout=120) for start in both]

    codes = sorted(start.returncode for start in both)
    assert codes in ([0, 5], [0, 0]), said
    if codes == [0, 5]:
        refused = next(error for start, (_, error) in zip(both, said, strict=True) if start.returncode == 5)
        assert "another run is changing this environment" in refused
        assert "since" in refused
        assert "Start the sandbox" in refused
    assert Sandbox.of(shell.project).well()
    all_is_recorded(shell)


# --- secrets


@pytest.mark.slow
def test_a_reset_must_be_confirmed_and_leaves_nothing_but_run_logs(shell: Shell, sandbox: Sandbox) -> None:
    before = pids(sandbox)
    said = succeeds(shell, "sandbox.reset", code=2)
    assert "sandbox" in said
    assert pids(sandbox) == before

    succeeds(shell, "sandbox.reset", "--confirm", "sandbox")

    nothing_runs(shell)
    assert not any(path.is_file() for path in sandbox.layout.root.rglob("*"))
    succeeds(shell, *VERIFY)
    all_is_recorded(shell)


@pytest.mark.crash
@pytest.mark.parametrize("effect", range(12, 1300, 400))
def test_a_killed_reset_leaves_no_half(effect: int, shell: Shell) -> None:
    with contextlib.suppress(AssertionError):  # fewer effects than that: then it is a plain reset
        killed_at(shell, f"effect:{effect}", "sandbox.reset", "--confirm", "sandbox")

    succeeds(shell, *VERIFY)

    assert list(prepare(shell.project).root.parent.glob(".sandbox*")) == []


def test_an_unknown_fault_is_met_with_a_suggestion(shell: Shell) -> None:
    for command in (("sandbox.break",), ("sandbox.mend", "--fault")):
        assert "did you mean seed-data-gone?" in succeeds(shell, *command, "seed-data-gon", code=2)
    assert "no fault is injected" in succeeds(shell, "sandbox.mend")


@pytest.fixture
def mended(sandbox: Sandbox) -> Iterator[None]:
    """Whatever a test injects is taken back, also when it fails."""
    yield
    if sandbox.faults():
        controls.mend()


@pytest.mark.crash
@pytest.mark.usefixtures("mended")
def test_faults_that_are_injected_again_and_over_each_other_are_mended(shell: Shell, sandbox: Sandbox) -> None:
    for name in ("pgvector-dropped", "seed-data-gone", "redis-no-password", "seed-data-gone"):
        controls.inject(sandbox, FAULTS[name])
    assert "faults are injected: pgvector-dropped, redis-no-password, seed-data-gone" in succeeds(
        shell, *VERIFY, code=3
    )

    succeeds(shell, "sandbox.mend")

    assert "faults are injected" not in succeeds(shell, *VERIFY)
    with sandbox.superuser("local") as connection:
        row = connection.execute("SELECT count(*) FROM pg_extension WHERE extname = 'vector'").fetchone()
        assert row == (1,)
        open_to_all = (
            "SELECT datacl IS NULL OR datacl::text LIKE '%{=%' FROM pg_database WHERE datname = current_database()"
        )
        assert connection.execute(open_to_all).fetchone() == (False,)
    assert "no fault is injected" in succeeds(shell, "sandbox.mend")


@pytest.mark.slow
@pytest.mark.usefixtures("mended")
def test_faults_that_keep_the_application_from_starting_are_mended_after_a_stop(shell: Shell, sandbox: Sandbox) -> None:
    """The first can't be taken back while the second keeps the application down."""
    for name in ("dev-cors-on", "jwt-key-short"):
        controls.inject(sandbox, FAULTS[name])
    succeeds(shell, "sandbox.down")

    succeeds(shell, "sandbox.mend")

    assert sandbox.faults() == []
    succeeds(shell, *VERIFY)


@pytest.mark.crash
@pytest.mark.usefixtures("mended")
def test_a_sandbox_that_was_killed_under_a_fault_is_started_with_it(shell: Shell, sandbox: Sandbox) -> None:
    controls.inject(sandbox, FAULTS["dev-cors-on"])
    manager_of(sandbox)[0].kill()

    said = succeeds(shell, *VERIFY)

    assert "faults are injected: dev-cors-on" in said
    assert sandbox.variables("local")["ALLOW_DEV_CORS"] == "true"


@pytest.mark.crash
@pytest.mark.usefixtures("mended")
@pytest.mark.parametrize(
    ("fault", "effect"),
    [
        ("seed-data-gone", 9),
        *(
            (fault, effect)
            for fault in ("seed-data-gone", "dev-cors-on", "health-500", "redis-save-fails")
            for effect in range(4, 52, 16)
        ),
    ],
)
def test_half_an_injection_is_mended(fault: str, effect: int, shell: Shell) -> None:
    with contextlib.suppress(AssertionError):  # where it has fewer effects, it was injected as a whole
        killed_at(shell, f"effect:{effect}", "sandbox.break", fault)

    succeeds(shell, "sandbox.mend")

    succeeds(shell, "release.verify")


# --- releases


def test_releases_are_deployed_one_after_another_and_back(sandbox: Sandbox) -> None:
    sandbox.forget_rate_limits()
    for revision in ("v2", "v3"):
        sandbox.deploy("local", revision)
        assert sandbox.deployed("local")["revision"] == revision
        register(sandbox)

    for down, revision in (("20251103_profile_timezone", "v2"), ("20251030_add_hnsw_vector_indexes", "v1")):
        sandbox.run_in_release("local", "alembic", "downgrade", down)
        sandbox.deploy("local", revision)
        register(sandbox)


def register(sandbox: Sandbox) -> None:
    name = f"life-{secrets.token_hex(4)}"
    body = {"username": name, "email": f"{name}@checks.praviel.test", "password": new_password()}
    with sandbox.http("local") as application:
        answer = application.post("/api/v1/auth/register", json=body)
    assert answer.status == 201


@pytest.mark.crash
def test_a_deploy_that_was_killed_before_the_restart_is_completed_by_the_next_start(
    shell: Shell, sandbox: Sandbox
) -> None:
    releases.place(sandbox.layout, "local-staging", "v2", None)
    assert not sandbox.well()

    succeeds(shell, "sandbox.up")

    assert sandbox.runs_what_is_placed("local-staging")
    sandbox.run_in_release("local-staging", "alembic", "downgrade", "20251030_add_hnsw_vector_indexes")
    sandbox.deploy("local-staging", "v1")


def test_a_kill_between_a_release_and_its_note_leaves_none_without_a_name(sandbox: Sandbox) -> None:
    sandbox.layout.state.write_text(
        json.dumps(
            {key: value for key, value in json.loads(sandbox.layout.state.read_text()).items() if key == "ports"}
        )
    )
    assert sandbox.deployed("local") == {}

    succeeds(Shell(sandbox.project), "sandbox.up")

    assert sandbox.deployed("local")["revision"] == "v1"


# --- whoever runs it


def test_breaking_and_mending_begin_a_new_hour_of_the_applications_limits(shell: Shell, sandbox: Sandbox) -> None:
    """Or the third look within the hour would find the registrations spent."""
    for _ in range(2):
        succeeds(shell, "sandbox.break", "jwt-key-shared")
        assert shell.invoke("release.verify", "--only", "secrets.jwt-key-differs,accounts.register").returncode == 3
        succeeds(shell, "sandbox.mend")
        assert "1 passed" in succeeds(shell, "release.verify", "--only", "accounts.register")

    assert sandbox.faults() == []
