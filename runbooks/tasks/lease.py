"""``lease.*``: who is changing an environment."""

from __future__ import annotations

from invoke.context import Context
from invoke.tasks import task

from runbooks.tasks.starting import CONFIRM, ENV, change, collection, finish


@task(name="show", help={"env": ENV})
def show(_c: Context, env: str | None = None) -> None:
    """Who is changing an environment right now."""
    from runbooks import history

    finish(lambda: history.show_lease(env))


@task(name="break", help={"env": ENV, "reason": "who was asked, and why it is safe", "confirm": CONFIRM})
def break_(c: Context, reason: str, env: str | None = None, confirm: str | None = None) -> None:
    """Take the lease from a holder that is surely gone."""
    from runbooks import history

    change(c, lambda: history.break_lease(env, reason, confirm))


TASKS = collection("lease", show, break_)
