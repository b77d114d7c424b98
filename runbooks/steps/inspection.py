"""Looks at a snapshot in the store: objects as they were written, an archive that can be read, a manifest that fits."""

from __future__ import annotations

import concurrent.futures
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.step import Scope
from runbooks.environment.snapshots import Snapshots
from runbooks.steps.making import DATA, STREAMED, contents_of, fresh_folder, size
from runbooks.steps.progress import Progress
from runbooks.systems.postgres import commands, programs
from runbooks.systems.snapshots import inspections, sealed
from runbooks.systems.snapshots.inspections import Inspection
from runbooks.systems.snapshots.manifest import CONTENTS, FOLDER, Manifest, StoredFile


@dataclass
class Inspecting:
    """What the steps of an inspection share. ``unread``: what could not be looked at, and why."""

    snapshots: Snapshots
    manifest: Manifest
    run: str
    problems: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)


def plan_objects(work: Inspecting) -> Iterable[str]:
    """What would be read."""
    yield f"{len(work.manifest.files)} objects, {size(work.manifest.stored)}, from {work.snapshots.shelf}"


def check_objects(work: Inspecting, scope: Scope) -> str:
    """Read every object to its end, and compare it with the manifest."""
    shelf, manifest = work.snapshots.shelf, work.manifest
    progress = Progress(scope, manifest.stored)

    def problem(file: StoredFile) -> str:
        return "" if scope.stopping else shelf.problem(manifest, file, progress.add)

    with concurrent.futures.ThreadPoolExecutor(work.snapshots.environment.backup.jobs) as pool:
        found = list(pool.map(problem, manifest.files))
    if scope.stopping:
        raise SystemFault("stopped before every object was read", reason=Reason.FAILED)
    return _tell(
        work, scope, [problem for problem in found if problem], f"{len(found)} objects are as they were written"
    )


def check_archive(work: Inspecting, scope: Scope) -> str:
    """Have pg_restore read the archive's table of contents, and count what it lists against what was recorded."""
    manifest, snapshots = work.manifest, work.snapshots
    try:
        by, program = snapshots.reader_of(manifest), snapshots.programs(manifest.programs)
    except InputError as error:
        work.unread.append(f"the archive: {error.what}")
        return f"not read: {error.what}"
    folder = snapshots.work(work.run)
    fresh_folder(folder)
    name = f"{DATA}/toc.dat" if manifest.archive == FOLDER else STREAMED
    path = folder / name
    try:
        contents = contents_of(snapshots, manifest)
        file = next(file for file in manifest.files if file.name == name)
        path.parent.mkdir(parents=True)
        with sealed.opened(snapshots.shelf.read(manifest, file), by) as stream, path.open("wb") as target:
            shutil.copyfileobj(stream, target, 1 << 20)
        argv = commands.listing(program.path("pg_restore"), path.parent if manifest.archive == FOLDER else path)
        listed = programs.output(argv, program.environment({}), stopping=scope.stop_event)
    except StopIteration:
        return _tell(work, scope, [f"{name} or {CONTENTS} is not in the manifest"], "")
    except SystemFault as fault:
        return _tell(work, scope, [f"the archive can't be read: {fault.what}: {fault.found}"], "")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    tables = commands.count_tables(listed)
    wrong = [
        f"{what}: {found}, the manifest says {said}"
        for what, found, said in (
            ("tables with rows in the archive", tables, manifest.tables),
            ("tables with fingerprints", len(contents.tables), manifest.tables),
            ("rows", sum(each.rows for each in contents.tables.values()), manifest.rows),
        )
        if found != said
    ]
    return _tell(
        work,
        scope,
        wrong,
        f"pg_restore lists {commands.count_entries(listed)} entries, {tables} of them rows of tables",
    )


def record(work: Inspecting, _scope: Scope) -> str:
    """Keep in the store what was seen: a check has no time to read a large snapshot itself."""
    inspection = Inspection(
        run=work.run,
        snapshot=work.manifest.id,
        at=datetime.now(UTC),
        objects=len(work.manifest.files),
        problems=tuple(work.problems),
    )
    inspections.put(work.snapshots.shelf.store, inspection)
    return f"{len(work.problems)} problems kept" if work.problems else "kept that it is intact"


def _tell(work: Inspecting, scope: Scope, found: list[str], well: str) -> str:
    work.problems += found
    for problem in found:
        scope.record("damage", snapshot=work.manifest.id, text=problem)
    return "; ".join(found[:10]) if found else well
