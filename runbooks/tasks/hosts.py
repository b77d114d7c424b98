"""``hosts.*``: the machines that are deployed to."""

from __future__ import annotations

from invoke.context import Context
from invoke.tasks import task

from runbooks.tasks.starting import ENV, collection, finish


@task(
    name="render",
    help={
        "output": "a folder to write the files into, instead of printing them",
        "blue": "where the slot blue listens, ADDRESS:PORT",
        "green": "where the slot green listens, ADDRESS:PORT",
        "env": ENV,
    },
)
def render(
    _c: Context,
    output: str | None = None,
    blue: str = "127.0.0.1:8001",
    green: str = "127.0.0.1:8002",
    env: str | None = None,
) -> None:
    """The files that make a machine a host: units or programs, Caddy's, and what makes the folders."""
    from runbooks import hosting

    finish(lambda: hosting.render(env, output, blue=blue, green=green))


TASKS = collection("hosts", render)
