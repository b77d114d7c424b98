"""``schedule.*``: regular work, done by a timer."""

from __future__ import annotations

from invoke.context import Context
from invoke.tasks import task

from runbooks.tasks.starting import ENV, collection, finish


@task(
    name="render",
    help={
        "target": "github (a workflow), systemd (services and timers) or cron (a file for /etc/cron.d)",
        "output": "a folder to write the files into, instead of printing them",
        "env": ENV,
    },
)
def render(_c: Context, target: str, output: str | None = None, env: str | None = None) -> None:
    """The files for a timer: a snapshot every day, a drill every quarter, a sample every hour."""
    from runbooks import schedule

    finish(lambda: schedule.render(target, env, output))


TASKS = collection("schedule", render)
