"""The snapshots in the store, listed and shown; and the commands that begin with one of them."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from runbooks import command
from runbooks.engine.errors import InputError
from runbooks.environment.backup import Backup
from runbooks.options import FORMATS, Options
from runbooks.places import open_environment, open_snapshots
from runbooks.report.text import count
from runbooks.steps import drill_history
from runbooks.systems.snapshots.drills import Drill, readable
from runbooks.systems.snapshots.manifest import Manifest, encode
from runbooks.systems.snapshots.shelf import Shelf

RANDOM = "random"
SVG = "svg"


def start(name: str, snapshot: str, options: Options) -> int:
    """Run a runbook on one snapshot. Which one is settled here: it stays that one when the run is resumed."""
    shelf = open_snapshots(open_environment(options.environment))
    known = shelf.ids()
    manifest = shelf.find(secrets.choice(known) if snapshot == RANDOM and known else snapshot)
    return command.start(name, replace(options, parameters={**options.parameters, "snapshot": manifest.id}))


def show_list(environment: str | None) -> None:
    """Print one line per snapshot, oldest first, and what was left unfinished."""
    opened = open_environment(environment)
    shelf = open_snapshots(opened)
    known = [manifest for id in shelf.ids() if (manifest := shelf.manifest(id))]
    for manifest in known:
        print("  ".join(_row(manifest)))
    for id in shelf.unfinished():
        print(f"{id:24}  unfinished: being made now, or left by a run that was killed")
    print(f"{count(len(known), 'snapshot')} of {opened.label} in {shelf}")


def show(snapshot: str, environment: str | None) -> None:
    """Print what a snapshot's manifest says."""
    shelf: Shelf = open_snapshots(open_environment(environment))
    manifest = shelf.find(snapshot)
    for title, value in _facts(manifest):
        print(f"{title:11} {value}")
    width = max(len(file.name) for file in manifest.files)
    for file in manifest.files:
        print(f"  {file.name:{width}}  {file.size:>12}  {file.sha256}")


def show_history(environment: str | None, format: str) -> None:
    """Print what drills came to, oldest first; as Markdown with pictures, as one SVG picture, or as JSON.

    Raises:
        InputError: no such format; or a record is damaged, which is said once the others are printed.
    """
    if format not in (*FORMATS, SVG):
        raise InputError(f"no format is called {format!r}", where="--format", found=", ".join((*FORMATS, SVG)))
    opened = open_environment(environment)
    store = open_snapshots(opened).store
    known, damage = readable(store)
    if format == "json":
        sys.stdout.write(encode(known, list[Drill]).decode())
    elif format == "markdown":
        from runbooks.report.markdown import render_page

        sys.stdout.write(render_page(drill_history.page(known, damage, opened.backup)))
    elif format == SVG:
        from runbooks.report import picture

        sys.stdout.write(picture.draw(drill_history.page(known, damage, opened.backup)))
    else:
        _print_history(known, opened.backup)
        print(f"{count(len(known), 'drill')} of {opened.label} in {store}")
    if damage:
        raise InputError(
            "the record of a drill can't be read",
            where=str(store),
            found="; ".join(damage),
            mend="compare it with a copy; without it the drill counts for nothing",
        )


def _print_history(known: Sequence[Drill], backup: Backup) -> None:
    rows = [drill_history.HEAD, *(drill_history.row(drill) for drill in known)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows if known else []:
        print("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
    for drill in known[-1:]:
        for found in drill.found:
            print(f"the last one: {found}")
    for note in drill_history.notes(known, backup) if known else ["no drill yet: invoke backup.drill"]:
        print(note)


def _row(manifest: Manifest) -> tuple[str, ...]:
    return (
        f"{manifest.id:24}",
        f"{age(manifest):>8}",
        f"{manifest.tables:>4} tables",
        f"{manifest.rows:>10} rows",
        f"{manifest.stored / 1e6:>9.1f} MB",
        "encrypted" if manifest.encrypted else "",
        f"release {manifest.release[:12]}" if manifest.release else "",
    )


def age(manifest: Manifest) -> str:
    """How long ago, in its largest unit."""
    passed = max(datetime.now(UTC) - manifest.taken, timedelta())
    for unit, seconds in (("d", 86400), ("h", 3600), ("min", 60)):
        if passed.total_seconds() >= seconds:
            return f"{int(passed.total_seconds() // seconds)} {unit}"
    return f"{int(passed.total_seconds())} s"


def _facts(manifest: Manifest) -> tuple[tuple[str, str], ...]:
    return (
        ("snapshot", manifest.id),
        ("of", f"{manifest.environment}, database {manifest.database} of cluster {manifest.system or 'unknown'}"),
        ("shows", f"{manifest.taken.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC, {manifest.lsn}, {age(manifest)} ago"),
        ("holds", f"{manifest.tables} tables with {manifest.rows} rows, {manifest.bytes} bytes on the server"),
        ("migrations", ", ".join(manifest.heads) or "none"),
        ("release", manifest.release or "not known"),
        ("server", f"PostgreSQL {manifest.major}; archive {manifest.archive} by pg_dump {manifest.programs}"),
        ("encrypted", ", ".join(manifest.encrypted) or "no"),
        (
            "made by",
            f"run {manifest.run}: {', '.join(f'{name} {took:.1f} s' for name, took in manifest.seconds.items())}",
        ),
        ("stored", f"{manifest.stored} bytes in {len(manifest.files)} objects"),
    )
