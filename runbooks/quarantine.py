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
from runbooks.engine.lease import operator
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
from runbooks.steps.quarantined import Comparison, Written
from runbooks.systems.postgres.quarantine import put_aside
from runbooks.systems.snapshots import exports
from runbooks.systems.snapshots.exports import Export

LIVE, SNAPSHOT = "live", "snapshot"
"""What a database in quarantine is compared with: the live one as it is now, or the snapshot that took its place."""


def show_list(environment: str | None) -> None:
    """Print one line per database, oldest first."""
    with _opened(environment) as snapshots:
        known = put_aside(snapshots.access, snapshots.database)
        for each in known:
            days = (datetime.now(UTC) - each.at).days
            note = "" if exports.of_database(snapshots.shelf, each.name) else "  never exported"
            note += "  anybody may connect: it was left open" if each.open else ""
            print(f"{discarding.said(each)}  {days} d  by run {each.mark.run}, for snapshot {each.mark.snapshot}{note}")
        print(f"{count(len(known), 'database')} of {snapshots.environment.label} in quarantine")


def show_difference(name: str, environment: str | None, format: str, against: str = LIVE) -> None:
    """Print what one has otherwise than the live database, or than that was at the switch, table by table.

    Raises:
        InputError: the format, or what to compare with, is none; or the snapshot is not restored.
    """
    if format not in (CONSOLE, "json"):
        raise InputError(f"no format is called {format!r}", where="--format", found=f"{CONSOLE}, json")
    with_snapshot = _with_snapshot(against)
    with _opened(environment) as snapshots:
        found = quarantined.compare(snapshots, quarantined.find(snapshots, name), with_snapshot=with_snapshot)
    if format == "json":
        json.dump(_document(found), sys.stdout, indent=1, ensure_ascii=False)
        sys.stdout.write("\n")
        return
    print(f"{found.aside.name} against {found.against}: rows that it has besides, otherwise, and lacks")
    width = max((len(each.name) for each in found.tables), default=0)
    for each in found.tables:
        counts = f"+{each.added}  ~{each.changed}  -{each.gone}"
        print(f"  {each.name:{width}}  {counts}{f'  ({each.remarks})' if each.remarks else ''}")
    print(f"{len(found.tables)} tables differ, {found.equal} are equal")
    if found.large_objects:
        print(found.large_objects)
    if found.untold:
        print(f"when what differs was written can't be told: {found.untold}")
    if any(each.written is Written.BOTH for each in found.tables):
        print("some tables were written to before the switch and since: --against snapshot leaves out what came since")


def _with_snapshot(against: str) -> bool:
    if against not in (LIVE, SNAPSHOT):
        raise InputError(
            f"nothing to compare with is called {against!r}", where="--against", found=f"{LIVE}, {SNAPSHOT}"
        )
    return against == SNAPSHOT


def export(name: str, into: str | None, environment: str | None, *, store: bool = False, against: str = LIVE) -> None:
    """Write those rows to a folder that only we can enter: CSV files, an index to read, and one for programs.

    Args:
        store: Also put them into the store, encrypted to the inventory's recipients.

    Raises:
        InputError: the folder is not empty; or as `show_difference`.
    """
    with_snapshot = _with_snapshot(against)
    with _opened(environment) as snapshots:
        aside = quarantined.find(snapshots, name)
        stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        default = snapshots.environment.project / "var" / "quarantine" / snapshots.environment.name
        folder = Path(into) if into else default / f"{aside.name}-{stamp}"
        _refuse_filled(folder)
        _make(folder)
        found = quarantined.compare(snapshots, aside, folder, with_snapshot=with_snapshot)
        (folder / "index.json").write_text(json.dumps(_document(found), indent=1, ensure_ascii=False), "utf-8")
        (folder / "index.md").write_text("\n".join(quarantined.index(found)) + "\n", "utf-8")  # last: it is whole
        print(f"{sum(len(each.files) for each in found.tables)} files of {len(found.tables)} tables in {folder}")
        made = Export(
            database=aside.name,
            id=stamp,
            at=datetime.now(UTC),
            by=operator(),
            against=found.against,
            tables=len(found.tables),
            rows=found.rows,
            folder=str(folder.absolute()),
        )
        if store:
            archive = exports.archive(snapshots.shelf, folder, f"{aside.name}/{stamp}", snapshots.recipients)
            made = replace(made, archive=archive, encrypted=snapshots.recipient_keys)
            to = (
                f"encrypted to {len(made.encrypted)} keys" if made.encrypted else "in clear: backup.recipients is empty"
            )
            print(f"and as {archive.name} in {snapshots.shelf}, {to}; invoke quarantine.fetch brings it back")
        exports.record(snapshots.shelf, made)


def fetch(database: str, into: str, environment: str | None) -> None:
    """Write what was exported to the store last to a folder that only we can enter.

    Raises:
        InputError: nothing was exported to there, the folder is not empty, or there is no key to read it with.
        SystemFault: what lies in the store is not what was put there.
    """
    folder = Path(into)
    with _opened(environment) as snapshots:
        stored = [each for each in exports.of_database(snapshots.shelf, database) if each.archive]
        if not stored:
            what = "nothing of this database was exported to the store"
            raise InputError(what, where=database, mend="give its whole name; invoke quarantine.list")
        if stored[-1].encrypted and snapshots.identity is None:
            mend = 'declare backup.identity = { secret = "AGE_IDENTITY" } in the inventory'
            raise InputError("the export is encrypted, and there is no key to read it with", where=database, mend=mend)
        _refuse_filled(folder)
        _make(folder)
        exports.unpack(snapshots.shelf, stored[-1], folder, snapshots.identity if stored[-1].encrypted else None)
    print(f"{stored[-1]}; it is in {folder} now")


def _refuse_filled(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise InputError("the folder is not empty", where=str(folder), mend="name another with --into")


def _make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)


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
        "against": found.against,
        "untold": found.untold,
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
