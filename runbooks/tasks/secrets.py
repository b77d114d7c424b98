"""``secrets.*``: new values for secrets, one protocol for all kinds."""

from __future__ import annotations

from typing import Any

from invoke.context import Context
from invoke.tasks import task

from runbooks.tasks.starting import CONFIRM, ENV, PLAN, REASON, change, collection, finish

RESTARTED = "your word that every replica was started anew, where this tool asked for that and can't see it"
NAME = "the variable, such as JWT_SECRET_KEY; secrets.status lists them"


@task(name="status", help={"env": ENV})
def status(_c: Context, env: str | None = None) -> None:
    """Each secret's versions: CURRENT, PENDING and PREVIOUS; and the rotations that are under way."""
    from runbooks import secrets_open

    finish(lambda: secrets_open.show_status(env))


@task(
    name="rotate",
    help={
        "name": NAME,
        "env": ENV,
        "wait": "seconds to wait for those who use the old value (default: 120)",
        "accept": "how many users may be logged out, instead of typing it (needed without a terminal)",
        "command": "what prints the new value, where you make it yourself (a provider's key); else it is asked for",
        "plan": PLAN,
        "confirm": CONFIRM,
        "reason": REASON,
    },
    positional=["name"],
)
def rotate(
    c: Context,
    name: str,
    env: str | None = None,
    wait: str | None = None,
    accept: str | None = None,
    command: str | None = None,
    plan: bool = False,
    confirm: str | None = None,
    reason: str = "",
) -> None:
    """Make a new value, use it, prove it, and forget the old one: in steps that can be resumed or taken back.

    Exit codes: 0 rotated, 6 failed and taken back, 7 the old value is still in use, or a person has to look.
    """
    from runbooks import secrets_open
    from runbooks.options import Options

    given: dict[str, Any] = {"wait": wait, "accept": accept, "command": command}
    dry = plan or bool(c.config.run.dry)
    options = Options(environment=env, plan=dry, confirm=confirm, reason=reason, parameters=given)
    finish(lambda: secrets_open.start(name, options))


@task(name="resume", help={"name": NAME, "restarted": RESTARTED, "env": ENV}, positional=["name"])
def resume(c: Context, name: str, restarted: bool = False, env: str | None = None) -> None:
    """Go on with the rotation of a secret that was interrupted, or that waits."""
    _go_on(c, name, env, restarted, abort=False)


@task(name="abort", help={"name": NAME, "restarted": RESTARTED, "env": ENV}, positional=["name"])
def abort(c: Context, name: str, restarted: bool = False, env: str | None = None) -> None:
    """Take the rotation of a secret back: the old value is in use again. Possible until it is forgotten."""
    _go_on(c, name, env, restarted, abort=True)


@task(name="retire", help={"name": NAME, "env": ENV}, positional=["name"])
def retire(c: Context, name: str, env: str | None = None) -> None:
    """Forget the old value of a rotation that waited in vain, if nobody uses it any more. The same as resume."""
    _go_on(c, name, env, restarted=False, abort=False)


def _go_on(c: Context, name: str, env: str | None, restarted: bool, *, abort: bool) -> None:
    from runbooks import secrets_open
    from runbooks.options import Options

    given = {"restarted": True} if restarted else {}
    change(c, lambda: secrets_open.go_on(name, Options(environment=env, parameters=given), abort=abort))


TASKS = collection("secrets", status, rotate, resume, abort, retire)
