"""``invoke variables.restore`` and ``variables.diff``: a copy of the variables, written to a file or compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from runbooks import command
from runbooks.catalog import Opening, Prepared
from runbooks.engine.errors import InputError
from runbooks.engine.redact import Redactor
from runbooks.engine.step import Conclusion, Runbook, Step
from runbooks.environment.site import Site
from runbooks.environment.snapshots import Snapshots
from runbooks.environment.variable_copies import VariableCopies
from runbooks.masking import masked
from runbooks.options import Options
from runbooks.places import open_environment
from runbooks.steps import variables
from runbooks.steps.variables import WritingBack
from runbooks.systems.variables.copies import Copy

DIFFERENT = 3


def start(copy: str, to: str | None, options: Options) -> int:
    """Write a copy to a file. Which one is settled here: it stays that one when the run is resumed.

    Raises:
        InputError: no file is named, or no copy answers to it.
    """
    if not to:
        raise InputError("a file to write the variables to is needed", where="--to", mend="--to variables.restored.env")
    environment = open_environment(options.environment)
    redactor = Redactor()
    with masked(redactor):
        found = VariableCopies(Snapshots(Site(environment, redactor))).copies.find(copy)
    parameters = {"copy": found.id, "to": str(Path(to).absolute())}
    return command.start("variables.restore", replace(options, parameters=parameters))


def prepare(opening: Opening) -> Prepared:
    """Put the runbook together for one copy.

    Raises:
        InputError: there is no such copy.
    """
    site = Site(opening.environment, opening.redactor)
    backups = VariableCopies(Snapshots(site))
    copy = backups.copies.find(opening.parameters["copy"])
    return Prepared(runbook(), WritingBack(backups, copy, Path(opening.parameters["to"])), site.close)


def runbook() -> Runbook[WritingBack]:
    """The procedure. The environment itself is not touched."""
    return Runbook(
        name="variables.restore",
        title="Write a copy of the variables to a file",
        changes=False,
        conclude=conclude,
        steps=(
            Step(
                name="write",
                title="Decrypt the copy into a file for its owner only",
                ready=variables.refuse_to_overwrite,
                act=variables.write_back,
                done=variables.is_written_back,
                plan=variables.plan_write_back,
            ),
        ),
    )


def conclude(writing: WritingBack) -> Conclusion:
    """Where they are."""
    line = f"RESTORED {len(writing.copy.fingerprints)} variables of {writing.copy.id} to {writing.path}"
    return Conclusion.saying("RESTORED", line, copy=writing.copy.id)


def show_difference(wanted: str, environment: str | None) -> int:
    """Print which variables are not what they were when a copy was made: names only.

    Returns:
        0 if there is no difference, else 3.
    """
    opened = open_environment(environment)
    redactor = Redactor()
    with masked(redactor):
        backups = VariableCopies(Snapshots(Site(opened, redactor)))
        copy: Copy = backups.copies.find(wanted)
        differences = backups.differences(copy)
    for sign, names in (("~", differences.changed), ("+", differences.added), ("-", differences.removed)):
        for name in names:
            print(f"{sign} {name}")
    count = sum(map(len, (differences.changed, differences.added, differences.removed)))
    since = f"since {copy.id} ({copy.taken:%Y-%m-%d %H:%M} UTC, release {(copy.release or 'not known')[:12]})"
    print(f"{count or 'no'} variables of {opened.label} differ {since}")
    return DIFFERENT if differences else 0
