"""``invoke sandbox.down``: stop the sandbox, last started first, and leave no process and no port behind."""

from __future__ import annotations

from collections.abc import Iterable

from runbooks.catalog import Opening, Prepared
from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.step import Runbook, Scope, Step
from runbooks.sandbox import process_manager, slots
from runbooks.sandbox.environments import ENVIRONMENTS
from runbooks.sandbox.servers import TITLES
from runbooks.sandbox.up import stop_applications
from runbooks.sandbox.world import Sandbox


def prepare(opening: Opening) -> Prepared:
    """Put the runbook together for the checkout's one sandbox."""
    return Prepared(runbook(), Sandbox.of(opening.environment.project, opening.redactor))


def runbook() -> Runbook[Sandbox]:
    """The procedure. Nothing here is undone: what was stopped stays stopped, and ``sandbox.up`` starts it again."""
    return Runbook(
        name="sandbox.down",
        title="Stop the sandbox",
        changes=True,
        steps=(
            Step(
                name="stop-applications",
                title="Stop the applications, which finish what they are answering",
                act=stop_applications,
                done=applications_stopped,
                plan=plan_stop,
                seconds=90,
            ),
            Step(
                name="stop-servers",
                title="Stop the servers and the process manager",
                act=stop_servers,
                done=lambda sandbox, _: sandbox.nothing_left(),
                plan=plan_stop_servers,
                seconds=150,
            ),
        ),
    )


def applications_stopped(sandbox: Sandbox, _scope: Scope) -> bool:
    """Whether no application runs."""
    if not sandbox.manager.alive():
        return True
    states = sandbox.manager.states()
    programs = [program for name in ENVIRONMENTS for program in slots.programs(name)]
    return all(states.get(program, "STOPPED") in ("STOPPED", "EXITED", "FATAL") for program in programs)


def stop_servers(sandbox: Sandbox, _scope: Scope) -> str:
    """Stop everything that is left, whether the process manager still knows of it or not."""
    sandbox.make_folders()  # somebody may have removed them by hand while it ran
    process_manager.shut_down(sandbox.layout)
    if not sandbox.nothing_left():
        raise SystemFault("processes of the sandbox are left", reason=Reason.FAILED, where=str(sandbox.layout.root))
    return f"no process and no port is left; the data stays in {sandbox.layout.root}"


def plan_stop(sandbox: Sandbox) -> Iterable[str]:
    yield from (f"stop {sandbox.active_program(name)}" for name in ENVIRONMENTS)


def plan_stop_servers(sandbox: Sandbox) -> Iterable[str]:
    yield f"stop {TITLES} and the process manager in {sandbox.layout.root}"
