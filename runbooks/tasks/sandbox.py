"""``sandbox.*``: the embedded default."""

from __future__ import annotations

from invoke.context import Context
from invoke.tasks import task

from runbooks.tasks.starting import PLAN, change, collection, finish, start


@task(name="up", help={"plan": PLAN})
def up(c: Context, plan: bool = False) -> None:
    """Start the embedded servers and application."""
    start(c, "sandbox.up", environment="local", plan=plan)


@task(name="down", help={"plan": PLAN})
def down(c: Context, plan: bool = False) -> None:
    """Stop them all; the data stays."""
    start(c, "sandbox.down", environment="local", plan=plan)


@task(name="status")
def status(_c: Context) -> None:
    """What runs, where, and which faults are injected."""
    from runbooks.sandbox import controls

    finish(controls.show_status)


@task(name="reset", help={"confirm": "'sandbox', instead of typing it"})
def reset(c: Context, confirm: str | None = None) -> None:
    """Stop the sandbox and delete its data."""
    from runbooks.sandbox import controls

    change(c, lambda: controls.reset(confirm))


@task(name="faults")
def faults(_c: Context) -> None:
    """Each fault, and the check that it turns red."""
    from runbooks.sandbox import controls

    finish(controls.show_faults)


@task(name="break", help={"fault": "its name; sandbox.faults lists them"}, positional=["fault"])
def break_(c: Context, fault: str) -> None:
    """Inject a fault, to see a check fail."""
    from runbooks.sandbox import controls

    change(c, lambda: controls.break_(fault))


@task(name="mend", help={"fault": "only this one (default: all that are injected)"})
def mend(c: Context, fault: str | None = None) -> None:
    """Take injected faults back."""
    from runbooks.sandbox import controls

    change(c, lambda: controls.mend(fault))


TASKS = collection("sandbox", up, down, status, reset, faults, break_, mend)
