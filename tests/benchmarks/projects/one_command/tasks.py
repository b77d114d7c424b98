"""An Invoke project that does nothing but run one command."""

from __future__ import annotations

from invoke.context import Context
from invoke.tasks import task


@task
def noop(c: Context) -> None:
    c.run("true")
