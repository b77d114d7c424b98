"""``invoke secrets.status``, ``resume``, ``abort`` and ``retire``: rotations that have not come to their end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from runbooks import command, rotation
from runbooks.engine import runs
from runbooks.engine.errors import InputError, NeedsPerson
from runbooks.engine.journal import FILE_NAME, read_chain
from runbooks.engine.outcome import Status
from runbooks.engine.redact import Redactor
from runbooks.environment.model import Environment
from runbooks.environment.secret_store import secret_versions
from runbooks.environment.site import Site
from runbooks.masking import masked
from runbooks.options import Options
from runbooks.places import open_environment, runs_of
from runbooks.systems.secrets.versions import Stage

RUNBOOK = "secrets.rotate"


def start(name: str, options: Options) -> int:
    """Rotate a secret, unless a rotation of it has not ended.

    Raises:
        InputError: one has not.
    """
    environment = open_environment(options.environment)
    there = unended(environment, name)
    if there and not options.plan:
        raise InputError(
            f"a rotation of {name} has not ended",
            where=there.name,
            mend=f"invoke secrets.resume {name}, or back: invoke secrets.abort {name}",
        )
    return command.start(RUNBOOK, replace(options, parameters={**options.parameters, "name": name}))


def go_on(name: str, options: Options, *, abort: bool = False) -> int:
    """Bring the rotation of this secret to its end, or take it back.

    Raises:
        InputError: there is none.
    """
    environment = open_environment(options.environment)
    there = unended(environment, name)
    if there is None:
        mend = f"invoke secrets.status; to begin one: invoke secrets.rotate {name}"
        raise InputError(f"no rotation of {name} is under way", where=environment.label, mend=mend)
    if abort and _is_forgotten(environment, name, there.name):
        raise InputError(
            f"the old {name} has been forgotten, so there is no way back; the new one is CURRENT and in use",
            where=there.name,
            mend=f"end the run: invoke secrets.resume {name}; then rotate again if you must",
        )
    return command.resume(there.name, replace(options, environment=environment.name), abort=abort)


def _is_forgotten(environment: Environment, name: str, run: str) -> bool:
    redactor = Redactor()
    with masked(redactor):
        site = Site(environment, redactor)
        try:
            return rotation.versions_of(name, site).stage(name, run) is Stage.RETIRED
        finally:
            site.close()


def unended(environment: Environment, name: str) -> Path | None:
    """The newest run that rotates this secret and has neither ended well nor been taken back."""
    for folder in reversed(list(runs.folders(runs_of(environment)))):
        if runs.runbook_of(folder.name) != RUNBOOK or _rotated(folder) != name:
            continue
        ended = runs.summary(folder).status in (Status.DONE, Status.COMPENSATED)
        return None if ended else folder
    return None


def show_status(environment: str | None) -> None:
    """Print each secret's versions, and the rotations that are under way."""
    opened = open_environment(environment)
    redactor = Redactor()
    with masked(redactor):
        site = Site(opened, redactor)
        versions = secret_versions(site)
        for name in rotation.KINDS:
            print(f"{name:22} {_told(site, name)}")
            if there := unended(opened, name):
                print(f"{'':22} run {there.name} has not ended: invoke secrets.resume {name}, or secrets.abort {name}")
        site.close()
    print(f"the secrets of {opened.label} in {versions}")


def _told(site: Site, name: str) -> str:
    try:
        found = rotation.versions_of(name, site).read(name).labelled()
    except InputError as problem:
        if problem.where != "platform.hosts":
            raise
        return f"not known here: {problem.mend}"
    except NeedsPerson as problem:
        return f"{problem.what}: {problem.mend}"
    parts = [f"{label} since {each.created:%Y-%m-%d %H:%M}" if each.created else label for label, each in found.items()]
    return ", ".join(parts) or "not set"


def _rotated(folder: Path) -> str | None:
    records = read_chain(folder / FILE_NAME).records
    name = records[0].data.get("parameters", {}).get("name") if records else None
    return str(name) if name else None
