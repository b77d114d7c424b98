"""``variables.*``: encrypted copies of what the application is deployed with."""

from __future__ import annotations

from invoke.context import Context
from invoke.tasks import task

from runbooks.tasks.starting import CONFIRM, ENV, PLAN, REASON, collection, finish, start

COPY = "a copy's id, its beginning or end, or 'newest' (the default)"


@task(name="backup", help={"env": ENV, "plan": PLAN, "confirm": CONFIRM, "reason": REASON})
def backup(
    c: Context, env: str | None = None, plan: bool = False, confirm: str | None = None, reason: str = ""
) -> None:
    """Keep a copy of the variables in the store, encrypted to the inventory's age recipients."""
    start(c, "variables.backup", environment=env, plan=plan, confirm=confirm, reason=reason)


@task(name="restore", help={"to": "the file to write; it must not exist", "copy": COPY, "env": ENV, "plan": PLAN})
def restore(
    c: Context, to: str | None = None, copy: str = "newest", env: str | None = None, plan: bool = False
) -> None:
    """Write a copy to a file that only its owner can read. The environment is not touched."""
    from runbooks import variables_restore
    from runbooks.options import Options

    dry = plan or bool(c.config.run.dry)
    finish(lambda: variables_restore.start(copy, to, Options(environment=env, plan=dry)))


@task(name="diff", help={"copy": COPY, "env": ENV})
def diff(_c: Context, copy: str = "newest", env: str | None = None) -> None:
    """Which variables are not what they were when a copy was made; values are never shown.

    Exit codes: 0 there is no difference, 3 there is one.
    """
    from runbooks import variables_restore

    finish(lambda: variables_restore.show_difference(copy, env))


TASKS = collection("variables", backup, restore, diff)
