"""``runs.*``: what ran, its logs, and how to go on or back."""

from __future__ import annotations

from invoke.context import Context
from invoke.tasks import task

from runbooks.tasks.starting import ENV, RUN, change, collection, finish

ACCEPT = (
    "why you answer for what the run could not tell, such as a bake that is inconclusive; it is recorded with your name"
)


@task(name="list", help={"env": ENV})
def list_(_c: Context, env: str | None = None) -> None:
    """What ran, when, by whom, and how it ended."""
    from runbooks import history

    finish(lambda: history.show_list(env))


@task(name="show", help={"run": RUN, "env": ENV}, positional=["run"])
def show(_c: Context, run: str, env: str | None = None) -> None:
    """The log of one run, rendered from its journal."""
    from runbooks import history

    finish(lambda: history.show_run(run, env))


@task(name="audit", help={"env": ENV})
def audit(_c: Context, env: str | None = None) -> None:
    """Whether any run log was edited, removed or cut."""
    from runbooks import history

    finish(lambda: history.show_audit(env))


@task(name="resume", help={"run": RUN, "accept": ACCEPT, "env": ENV}, positional=["run"])
def resume(c: Context, run: str, accept: str | None = None, env: str | None = None) -> None:
    """Go on with a run that was interrupted."""
    from runbooks import command

    change(c, lambda: command.resume(run, command.Options(environment=env), accept=accept))


@task(name="abort", help={"run": RUN, "env": ENV}, positional=["run"])
def abort(c: Context, run: str, env: str | None = None) -> None:
    """Take back what an interrupted run did."""
    from runbooks import command

    change(c, lambda: command.resume(run, command.Options(environment=env), abort=True))


TASKS = collection("runs", list_, show, audit, resume, abort)
