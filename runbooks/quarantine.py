"""``quarantine.*``: the databases that a restore or a rollback has replaced, and what only they have."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runbooks import command
from runbooks.catalog import Opening, Prepared
from runbooks.engine.confirm import confirm
from runbooks.engine.errors import InputError
from runbooks.engine.redact import Redactor
from runbooks.engine.step import Conclusion, Runbook, Step
from runbooks.environment.site import Site
from runbooks.environment.snapshots import Snapshots
from runbooks.masking import masked
from runbooks.options import CONSOLE, Options
from runbooks.places import open_environment
from runbooks.report.text import count
from runbooks.steps import discarding, quarantined
from runbooks.steps.discarding import Discarding
from runbooks.steps.quarantined import Comparison
from runbooks.systems.postgres.quarantine import put_aside


def show_list(environment: str | None) -> None:
    """Print one line per database, oldest first."""
    with _opened(environment) as snapshots:
        known = put_aside(snapshots.access, snapshots.database)
        for each in known:
            days = (datetime.now(UTC) - each.at).days
            note = "  anybody may connect: it was left open" if each.open else ""
            print(f"{discarding.said(each)}  {days} d  by run {each.mark.run}, for snapshot {each.mark.snapshot}{note}")
        print(f"{count(len(known), 'database')} of {snapshots.environment.label} in quarantine")


def show_difference(name: str, environment: str | None, format: str) -> None:
    """Print what one has otherwise than the live database, table by table."""
    if format not in (CONSOLE, "json"):
        raise InputError(f"no format is called {format!r}", where="--format", found=f"{CONSOLE}, json")
    with _opened(environment) as snapshots:
        found = quarantined.compare(snapshots, quarantined.find(snapshots, name))
    if format == "json":
        json.dump(_document(found), sys.stdout, indent=1, ensure_ascii=False)
        sys.stdout.write("\n")
        return
    print(f"{found.aside.name} against {found.live} as it is now: rows that it has besides, otherwise, and lacks")
    width = max((len(each.name) for each in found.tables), default=0)
    for each in found.tables:
        counts = f"+{each.added}  ~{each.changed}  -{each.gone}"
        print(f"  {each.name:{width}}  {counts}{f'  ({each.note})' if each.note else ''}")
    print(f"{len(found.tables)} tables differ, {found.equal} are equal")
    if found.large_objects:
        print(found.large_objects)


def export(name: str, into: str | None, environment: str | None) -> None:
    """Write those rows to a folder that only we can enter: CSV files, an index to read, and one for programs.

    Raises:
        InputError: the folder is not empty.
    """
    with _opened(environment) as snapshots:
        aside = quarantined.find(snapshots, name)
        stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        default = snapshots.environment.project / "var" / "quarantine" / snapshots.environment.name
        folder = Path(into) if into else default / f"{aside.name}-{stamp}"
        if folder.exists() and any(folder.iterdir()):
            raise InputError("the folder is not empty", where=str(folder), mend="name another with --into")
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        found = quarantined.compare(snapshots, aside, folder)
        (folder / "index.json").write_text(json.dumps(_document(found), indent=1, ensure_ascii=False), "utf-8")
        (folder / "index.md").write_text("\n".join(quarantined.index(found)) + "\n", "utf-8")  # last: it is whole
    print(f"{sum(len(each.files) for each in found.tables)} files of {len(found.tables)} tables in {folder}")


def drop(name: str, *, typed: str | None, young: bool, options: Options) -> int:
    """Have the name typed, then drop it.

    Raises:
        InputError: it is not in quarantine, is still needed, or its name was not typed.
    """
    with _opened(options.environment) as snapshots:
        aside = quarantined.find(snapshots, name)
        if not options.plan:
            line = discarding.survey(Discarding(snapshots, aside.name, young))
            confirm(
                aside.name,
                [f"DROP DATABASE {line}", "There is no way back from this."],
                given=typed,
                ask=input if sys.stdin.isatty() else None,
                show=lambda text: print(text, file=options.stream),
            )
    return command.start("quarantine.drop", replace(options, parameters={"database": aside.name, "young": young}))


def prepare_drop(opening: Opening) -> Prepared:
    """Put the runbook together for one database."""
    site = Site(opening.environment, opening.redactor)
    snapshots = Snapshots(site)
    _ = snapshots.database
    given = opening.parameters
    return Prepared(drop_runbook(), Discarding(snapshots, given["database"], bool(given["young"])), site.close)


def drop_runbook() -> Runbook[Discarding]:
    """The procedure. What is dropped can't be brought back, so no step has an undo."""
    return Runbook(
        name="quarantine.drop",
        title="Drop a database in quarantine",
        changes=True,
        conclude=lambda work: Conclusion.saying("DROPPED", f"DROPPED {work.name}", database=work.name),
        steps=(
            Step(name="look", title="See whether something speaks for it", act=discarding.look),
            Step(
                name="drop",
                title="Drop it",
                before=discarding.noted,
                act=discarding.drop,
                done=discarding.dropped,
                plan=discarding.plan,
                seconds=600,
            ),
        ),
    )


def _document(found: Comparison) -> dict[str, Any]:
    return {
        "database": found.aside.name,
        "live": found.live,
        "mark": vars(found.aside.mark),
        "equal": found.equal,
        "tables": [asdict(each) for each in found.tables],
        "large_objects": found.large_objects,
    }


@contextmanager
def _opened(environment: str | None) -> Iterator[Snapshots]:
    redactor = Redactor()
    with masked(redactor):
        site = Site(open_environment(environment), redactor)
        try:
            yield Snapshots(site)
        finally:
            site.close()
