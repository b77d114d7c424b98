"""``invoke schedule.render``: the files by which an environment's regular work is done by a timer."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import runbooks
from runbooks import project, rendering
from runbooks.engine.errors import InputError
from runbooks.environment.model import Environment
from runbooks.environment.schedule import clock
from runbooks.environment.value import SecretRef, VariableRef
from runbooks.places import open_environment
from runbooks.systems.secrets.source import SourceKind

TARGETS = ("github", "systemd", "cron")
QUARTERS = (1, 4, 7, 10)


@dataclass(frozen=True, kw_only=True)
class Job:
    """Something done again and again.

    Attributes:
        words: What is typed after ``invoke``.
        hour: Of the day, UTC; None: every hour.
        day: Of the months that begin a quarter; None: every day.
        hours: How long it may take.
    """

    name: str
    title: str
    words: tuple[str, ...]
    minute: int
    hour: int | None = None
    day: int | None = None
    hours: int = 1

    @property
    def cron(self) -> str:
        """The five fields of crontab(5)."""
        months = "*" if self.day is None else ",".join(map(str, QUARTERS))
        return f"{self.minute} {_star(self.hour)} {_star(self.day)} {months} *"

    @property
    def calendar(self) -> str:
        """The same for ``OnCalendar=``, see systemd.time(7)."""
        day = "*-*-*" if self.day is None else f"*-{','.join(f'{month:02}' for month in QUARTERS)}-{self.day:02}"
        hour = "*" if self.hour is None else f"{self.hour:02}"
        return f"{day} {hour}:{self.minute:02}:00 UTC"


def _star(number: int | None) -> str:
    return "*" if number is None else str(number)


def jobs(environment: Environment) -> Iterator[Job]:
    """The regular work of an environment: snapshots, what may go, the drill, and a look at the application."""
    schedule, name = environment.schedule, environment.name
    confirmed = ("--confirm", name) if environment.protected else ()
    change = ("--env", name, *confirmed, "--reason", "scheduled")
    hour, minute = clock(schedule.backup_at)
    yield Job(
        name="backup",
        title="a snapshot of the database",
        words=("backup.create", *change),
        minute=minute,
        hour=hour,
        hours=12,
    )
    if environment.backup.keep is not None:
        hour, minute = clock(schedule.prune_at)
        title = "snapshots that need not be kept any more"
        yield Job(name="prune", title=title, words=("backup.prune", *change), minute=minute, hour=hour, hours=4)
    hour, minute = clock(schedule.drill_at)
    yield Job(
        name="drill",
        title="the proof that a snapshot restores",
        words=("backup.drill", *(("--cluster",) if schedule.drill_cluster else ()), *change),
        minute=minute,
        hour=hour,
        day=schedule.drill_day,
        hours=24,
    )
    watch = ("release.watch", "--once", "--env", name)
    yield Job(name="watch", title="a sample of how the application fares", words=watch, minute=schedule.watch_minute)


def files(environment: Environment, target: str) -> dict[str, str]:
    """The files of a target by name.

    Raises:
        InputError: there is no such target.
    """
    facts: dict[str, Any] = {
        "written_by": f"{rendering.WRITTEN_BY} schedule.render",
        "environment": environment,
        "invoke": str(Path(sys.executable).with_name("invoke")),
        "folder": str(Path(runbooks.__file__).parent.parent),
        "project": os.environ.get(project.VARIABLE) and str(project.root()),
        "user": getpass.getuser(),
    }
    work = list(jobs(environment))
    stem = f"praviel-runbooks-{environment.name}"
    if target == "github":
        given = _given(environment)
        return {f"{stem}.yml": rendering.rendered("schedule/github.yml.j2", facts | {"jobs": work, "given": given})}
    if target == "cron":
        return {stem: rendering.rendered("schedule/cron.j2", facts | {"jobs": work})}
    if target == "systemd":
        return {
            f"{stem}-{job.name}.{kind}": rendering.rendered(f"schedule/systemd.{kind}.j2", facts | {"job": job})
            for job in work
            for kind in ("service", "timer")
        }
    raise InputError(f"no target is called {target!r}", where="--target", found=", ".join(TARGETS))


def render(target: str, environment: str | None, output: str | None) -> None:
    """Print the files of a target, or write them into a folder.

    Raises:
        InputError: there is no such target; the folder can't be written to, or holds a file of this name by somebody
            else.
    """
    rendering.show(files(open_environment(environment), target), output)


def _given(environment: Environment) -> list[str]:
    """The names that the sources of variables and secrets look for in the process's environment."""
    secrets, variables = environment.secrets, environment.variables
    found = set()
    for reference in _references(environment):
        if isinstance(reference, SecretRef) and secrets.source is SourceKind.ENVIRONMENT:
            found.add(f"{secrets.prefix}{reference.secret}")
        if isinstance(reference, VariableRef) and variables.source is SourceKind.ENVIRONMENT:
            found.add(f"{variables.prefix}{reference.variable}")
    return sorted(found)


def _references(value: object) -> Iterator[SecretRef | VariableRef]:
    if isinstance(value, (SecretRef, VariableRef)):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from _references(getattr(value, field.name))
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from _references(each)
