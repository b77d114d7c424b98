"""Means by which the platform beneath the application is changed."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from runbooks.engine.wait import until
from runbooks.sandbox import builds, environments, process_manager, releases, service
from runbooks.sandbox.faults.fault import Means
from runbooks.sandbox.faults.means import LOCAL
from runbooks.sandbox.files import read_state, update_state, write_private
from runbooks.sandbox.world import Sandbox


def moved_to(plan: str, workers: int) -> Means:
    """Move to another plan, as its operator notes it, with this many workers to be started with."""

    def inject(sandbox: Sandbox) -> None:
        _note(sandbox, {"WORKER_PLAN": plan})
        sandbox.set_variable(LOCAL, "UVICORN_WORKERS", str(workers))

    def mend(sandbox: Sandbox) -> None:
        _note(sandbox, {})
        sandbox.forget_variable(LOCAL, "UVICORN_WORKERS")

    return Means(inject, mend, restarts=False)


def operator_holds(**values: str) -> Means:
    """Change what the operator's own source of secrets holds."""
    return Means(lambda sandbox: _note(sandbox, values), lambda sandbox: _note(sandbox, {}), restarts=False)


def cores() -> int:
    """On how many the sandbox's processes may run."""
    return len(os.sched_getaffinity(0))


def placed(fault: str) -> Means:
    """Place another build of the release without starting it, as far as a deploy gets that the platform refuses."""

    def inject(sandbox: Sandbox) -> None:
        releases.place(sandbox.layout, LOCAL, _revision(sandbox), fault)

    def mend(sandbox: Sandbox) -> None:
        releases.place(sandbox.layout, LOCAL, _revision(sandbox), None)

    return Means(inject, mend, restarts=False)


def built_and_forgotten(fault: str) -> Means:
    """Deploy another build of the release; the way back also deletes the record of that build."""

    def inject(sandbox: Sandbox) -> None:
        sandbox.deploy(LOCAL, _revision(sandbox), fault)

    def mend(sandbox: Sandbox) -> None:
        deployed = sandbox.deployed(LOCAL)
        sandbox.deploy(LOCAL, str(deployed["revision"]))
        if deployed["fault"] == fault:
            builds.forget(sandbox.layout, LOCAL, str(deployed["commit"]))

    return Means(inject, mend)


def build_noted(**changes: Any) -> Means:
    """The record of the running release's last build says something else."""

    def inject(sandbox: Sandbox) -> None:
        commit = str(sandbox.deployed(LOCAL)["commit"])
        path, kept = _records(sandbox)
        if not kept.exists():
            write_private(kept, path.read_text())
        records = [json.loads(line) for line in kept.read_text().splitlines()]
        last = max(at for at, record in enumerate(records) if record["release"] == commit)
        records[last] |= changes
        write_private(path, "".join(f"{json.dumps(record)}\n" for record in records))

    def mend(sandbox: Sandbox) -> None:
        path, kept = _records(sandbox)
        if kept.exists():
            kept.replace(path)

    return Means(inject, mend, restarts=False)


def _records(sandbox: Sandbox) -> tuple[Path, Path]:
    path = sandbox.layout.builds(LOCAL)
    return path, path.with_suffix(".kept")


def _keep_sigterm(sandbox: Sandbox) -> None:
    sandbox.deploy(LOCAL, _revision(sandbox), "start-command-keeps-sigterm")


def _mend_only_the_release(sandbox: Sandbox) -> None:
    """Have the sound release placed, while the one that runs is still below its shell."""
    _keep_sigterm(sandbox)
    releases.place(sandbox.layout, LOCAL, _revision(sandbox), None)


def _let_sigterm_through(sandbox: Sandbox) -> None:
    """Stop it, end the server that the shell left behind on the port, and deploy the sound release."""
    with _left_behind(sandbox):
        sandbox.manager.stop(sandbox.active_program(LOCAL))
    sandbox.deploy(LOCAL, _revision(sandbox))


@contextlib.contextmanager
def _left_behind(sandbox: Sandbox) -> Iterator[None]:
    pid = sandbox.manager.pid(sandbox.active_program(LOCAL))
    below = psutil.Process(pid).children(recursive=True) if pid else []
    yield
    for process in below:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(below, timeout=10)


def _never_restart(sandbox: Sandbox) -> None:
    service.set_restarted(sandbox.layout, LOCAL, restarted=False)
    sandbox.restart(LOCAL)


def _restart_again(sandbox: Sandbox) -> None:
    service.set_restarted(sandbox.layout, LOCAL, restarted=True)
    sandbox.restart(LOCAL)


def _crash(sandbox: Sandbox) -> None:
    """Kill the application; the process manager starts it again by itself."""
    program = sandbox.active_program(LOCAL)
    before = sandbox.manager.pid(program)
    os.kill(before, signal.SIGKILL)
    until(
        lambda: sandbox.manager.pid(program) not in (0, before),
        seconds=15,
        what="the application was not started again",
    )
    sandbox.wait_until_it_answers(LOCAL)


def _start_on_purpose(sandbox: Sandbox) -> None:
    sandbox.manager.stop(sandbox.active_program(LOCAL))
    sandbox.restart(LOCAL)


def _few_open_files(sandbox: Sandbox) -> None:
    _allow_open_files(sandbox, 128)


def _usual_open_files(sandbox: Sandbox) -> None:
    _allow_open_files(sandbox, service.LIMITS["NOFILE"])


def _allow_open_files(sandbox: Sandbox, most: int) -> None:
    """Change the soft limit of the running process, as prlimit does."""
    pid = sandbox.manager.pid(sandbox.active_program(LOCAL))
    _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (min(most, hard), hard))


def _rotate_away(sandbox: Sandbox) -> None:
    """Rename the log and put an empty file in its place, as a logrotate does that tells the process manager nothing."""
    log = sandbox.layout.log(sandbox.active_program(LOCAL))
    aside = log.with_suffix(".aside")
    if not aside.exists():
        log.rename(aside)
    log.touch(mode=0o600)


def _rotate_back(sandbox: Sandbox) -> None:
    log = sandbox.layout.log(sandbox.active_program(LOCAL))
    aside = log.with_suffix(".aside")
    if aside.exists():
        aside.rename(log)


def _change_password(sandbox: Sandbox) -> None:
    """Write another password into the process manager's file; the running one goes on with the old one."""
    file = sandbox.layout.supervisor_configuration
    password = sandbox.manager.interface.password.reveal()
    file.write_text(file.read_text().replace(f"password = {password}", "password = changed-but-not-loaded"))


def _password_of_now(sandbox: Sandbox) -> None:
    process_manager.ensure_manager(sandbox.layout, [*sandbox.servers(), *sandbox.applications()])


def _note(sandbox: Sandbox, values: dict[str, str]) -> None:
    """Change what the operator holds; what is not named has its usual value."""
    noted = read_state(sandbox.layout).get(environments.OPERATOR_OVERRIDES, {})
    update_state(sandbox.layout, environments.OPERATOR_OVERRIDES, noted | {LOCAL: values})
    sandbox.write_variables()


def _revision(sandbox: Sandbox) -> str:
    return str(sandbox.deployed(LOCAL)["revision"])


KEEPS_SIGTERM = Means(_keep_sigterm, _let_sigterm_through)
SHELL_STILL_THERE = Means(_mend_only_the_release, _let_sigterm_through)
NEVER_RESTARTED = Means(_never_restart, _restart_again)
CRASHED = Means(_crash, _start_on_purpose)
FEW_OPEN_FILES = Means(_few_open_files, _usual_open_files, restarts=False)
LOG_ROTATED_AWAY = Means(_rotate_away, _rotate_back, restarts=False)
PASSWORD_CHANGED = Means(_change_password, _password_of_now, restarts=False)
