"""Proves that a restored database equals what was recorded when its snapshot was taken."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.step import Scope
from runbooks.steps.progress import Progress
from runbooks.steps.restoring import PROVEN, Restoring
from runbooks.systems.postgres import commands, databases, programs
from runbooks.systems.postgres.fingerprint import fingerprints
from runbooks.systems.postgres.snapshot import held, seeing
from runbooks.systems.snapshots.portrait import describe, unequal, unequal_sequences

MOST_NAMED = 20
"""Differences that a message names; the run's log has all of them."""


def prove(restoring: Restoring, scope: Scope) -> str:
    """Compare the sibling with what was recorded at the snapshot's moment, table by table and object by object.

    Raises:
        SystemFault: they differ; the message says in what.
    """
    restoring.differences = found = list(_differences(restoring, scope))
    scope.record("proof", snapshot=restoring.manifest.id, database=restoring.sibling, differences=found)
    if found:
        more = f"; and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
        raise SystemFault(
            "the restored database is not the one that was copied",
            reason=Reason.BAD_ANSWER,
            where=f"{restoring.sibling}, from {restoring.manifest.id}",
            found="; ".join(found[:MOST_NAMED]) + more,
            mend="invoke backup.verify; restore another snapshot",
        )
    with restoring.snapshots.access.connection() as connection:
        databases.set_mark(connection, restoring.sibling, restoring.said(PROVEN))
    manifest = restoring.manifest
    objects = sum(map(len, restoring.contents.catalogue.values()))
    return f"{manifest.tables} tables with {manifest.rows} rows, and {objects} objects, are equal"


def proven(restoring: Restoring, _scope: Scope) -> bool:
    return restoring.reached(PROVEN)


def _differences(restoring: Restoring, scope: Scope) -> Iterable[str]:
    access, sibling, jobs = restoring.snapshots.access, restoring.sibling, restoring.snapshots.environment.backup.jobs
    with held(access, sibling) as holder:
        with seeing(access, holder.moment, sibling) as connection:
            portrait = describe(connection, sibling)
            variables = restoring.programs.environment(access.environment(sibling))
            yield from unequal_sequences(_sequences(restoring, variables, scope), connection)
        progress = Progress(scope, sum(table.bytes for table in portrait.tables))
        rows = fingerprints(
            access,
            portrait.tables,
            moment=holder.moment,
            database=sibling,
            jobs=jobs,
            stopping=scope.stop_event,
            on_done=lambda table: progress.add(table.bytes),
        )
    yield from unequal(restoring.contents, replace(portrait.contents, tables=rows))
    if portrait.heads != restoring.manifest.heads:
        heads = [", ".join(each) or "none" for each in (portrait.heads, restoring.manifest.heads)]
        yield f"migrations: at {heads[0]}, were at {heads[1]}"


def _sequences(restoring: Restoring, variables: dict[str, str], scope: Scope) -> dict[str, tuple[int, bool]]:
    """Where the archive sets the sequences. They are in no snapshot: pg_dump reads each when it gets there."""
    kept = restoring.folder / "sequences.json"
    if not kept.exists():
        program, entries = restoring.programs.path("pg_restore"), restoring.folder / "sequence-entries"
        listed = programs.output(commands.listing(program, restoring.archive), variables, stopping=scope.stop_event)
        entries.write_text(commands.sequence_entries(listed), encoding="utf-8")
        argv = commands.sequence_values(program, restoring.archive, entries)
        said = programs.output(argv, variables, stopping=scope.stop_event) if entries.read_text() else ""
        kept.write_text(json.dumps(dict(commands.parse_sequences(said))), encoding="utf-8")
    return {name: (value, called) for name, (value, called) in json.loads(kept.read_text()).items()}
