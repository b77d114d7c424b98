"""The snapshots in the store, listed and shown; and the commands that begin with one of them."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from runbooks import command
from runbooks.options import Options
from runbooks.places import open_environment, open_snapshots
from runbooks.systems.snapshots.manifest import Manifest
from runbooks.systems.snapshots.shelf import Shelf

RANDOM = "random"


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
    print(f"{len(known)} snapshots of {opened.label} in {shelf}")


def show(snapshot: str, environment: str | None) -> None:
    """Print what a snapshot's manifest says."""
    shelf: Shelf = open_snapshots(open_environment(environment))
    manifest = shelf.find(snapshot)
    for title, value in _facts(manifest):
        print(f"{title:11} {value}")
    width = max(len(file.name) for file in manifest.files)
    for file in manifest.files:
        print(f"  {file.name:{width}}  {file.size:>12}  {file.sha256}")


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
