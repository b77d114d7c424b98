"""Makes a snapshot: one moment of the database, dumped and fingerprinted, put into the store, and published last."""

from __future__ import annotations

import concurrent.futures
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, cast

from runbooks import __version__
from runbooks.engine.atomic import write_atomically
from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.step import Scope
from runbooks.steps.making import DATA, DRAFT, STREAMED, UPLOADED, Making, fresh_folder, room, size
from runbooks.steps.progress import Progress, counted, watched
from runbooks.systems.postgres import commands, programs
from runbooks.systems.postgres.fingerprint import fingerprints
from runbooks.systems.postgres.records import ALGORITHM
from runbooks.systems.postgres.snapshot import Holder, held, seeing
from runbooks.systems.snapshots import sealed
from runbooks.systems.snapshots.manifest import (
    CONTENTS,
    FOLDER,
    STREAM,
    Manifest,
    StoredFile,
    encode,
)
from runbooks.systems.snapshots.portrait import Portrait, describe
from runbooks.systems.snapshots.shelf import place

OLDEST = 140000
"""The first version with hash_record_extended, as PostgreSQL counts."""

SECONDS = 12 * 3600.0
"""The longest time that a dump or an upload may take."""


def look(making: Making, _scope: Scope) -> str:
    """Find out whether it can be done, and how; nothing is changed."""
    return survey(making)


def survey(making: Making) -> str:
    """What would be dumped, and how.

    Raises:
        RunbookError: it can't be.
    """
    access, name = making.snapshots.access, making.snapshots.database
    if (version := access.server_version()) < OLDEST:
        raise InputError(
            f"a server of PostgreSQL {version // 10000} can't be fingerprinted",
            where=str(access),
            found="it has no hash of a whole row",
            mend=f"upgrade it to {OLDEST // 10000} or newer",
        )
    with access.connection() as connection:
        row = connection.execute("SELECT pg_catalog.pg_database_size(%s) AS bytes", [name]).fetchone()
    assert row
    _ = making.snapshots.recipients
    making.shelf.ids()
    free = room(making.folder)
    making.streamed = free < row["bytes"]
    how = (
        f"streamed: {free >> 20} MiB are free here"
        if making.streamed
        else f"by {making.snapshots.environment.backup.jobs} at a time"
    )
    return f"{name} has {row['bytes'] >> 20} MiB on the server; pg_dump {making.programs.major}, {how}"


def plan_dump(making: Making) -> Iterable[str]:
    """What would be run."""
    yield survey(making)
    yield f"{making.programs.path('pg_dump')} --snapshot=… of {making.snapshots.access}"
    yield f"fingerprints of every table, by {making.snapshots.environment.backup.jobs} connections in the same snapshot"


def plan_upload(making: Making) -> Iterable[str]:
    """Where it would go."""
    to = making.snapshots.recipient_keys
    yield f"{place(making.id, '')} in {making.shelf}, {f'encrypted to {len(to)} recipients' if to else 'not encrypted'}"


def dump(making: Making, scope: Scope) -> str:
    """Dump the database and fingerprint its tables, both as of one moment."""
    began = time.monotonic()
    making.shelf.remove(making.id)  # what an attempt that was killed has left
    fresh_folder(making.folder)
    if making.streamed is None:
        survey(making)
    access, name = making.snapshots.access, making.snapshots.database
    with held(access) as holder:
        with seeing(access, holder.moment) as connection:
            portrait = describe(connection, name)
            server = connection.info.server_version
        holder.keep(table.qualified for table in portrait.tables)
        with _dumping(making, scope, holder, portrait) as files:
            found = fingerprints(
                access,
                portrait.tables,
                moment=holder.moment,
                jobs=making.snapshots.environment.backup.jobs,
                stopping=scope.stop_event,
            )
        holder.confirm()
    contents = replace(portrait.contents, tables=found)
    write_atomically(making.folder / CONTENTS, encode(contents))
    manifest = Manifest(
        id=making.id,
        run=making.run,
        environment=making.snapshots.environment.name,
        database=name,
        system=portrait.system,
        taken=holder.moment.at,
        lsn=holder.moment.lsn,
        server=server,
        programs=making.programs.major,
        archive=STREAM if making.streamed else FOLDER,
        bytes=holder.moment.bytes,
        tables=len(found),
        rows=sum(each.rows for each in found.values()),
        heads=portrait.heads,
        release=making.release,
        encrypted=making.snapshots.recipient_keys,
        algorithm=ALGORITHM,
        tool=__version__,
        files=tuple(files),
        seconds={"dump": round(time.monotonic() - began, 3)},
    )
    write_atomically(making.folder / DRAFT, encode(manifest))
    told = f"{manifest.tables} tables with {manifest.rows} rows at {manifest.taken:%Y-%m-%d %H:%M:%S} UTC"
    scope.record("snapshot-dumped", id=making.id, text=told)
    return told


@contextmanager
def _dumping(making: Making, scope: Scope, holder: Holder, portrait: Portrait) -> Iterator[list[StoredFile]]:
    """Pg_dump at work during the block; what it has put into the store already stands in the list after it."""
    backup = making.snapshots.environment.backup
    program, files = making.programs.path("pg_dump"), list[StoredFile]()
    major = making.programs.major
    options = [*commands.compression(major, backup.compression), *commands.statistics(major)]
    variables = making.programs.environment(making.snapshots.access.environment(making.snapshots.database))
    if not making.streamed:
        argv = commands.dump_to_folder(
            program, making.folder / DATA, snapshot=holder.moment.id, jobs=backup.jobs, options=options
        )
        with (
            watched(scope, _expected(making, holder.moment.bytes), lambda: _taken(making.folder)),
            programs.running(argv, variables, stopping=scope.stop_event, say=scope.say),
        ):
            yield files
        return
    argv = commands.dump_to_stream(program, snapshot=holder.moment.id, options=options)
    bytes_ = sum(table.bytes for table in portrait.tables)
    with (
        concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="upload") as pool,
        programs.running(argv, variables, stopping=scope.stop_event, say=scope.say, stdout=subprocess.PIPE) as process,
    ):
        stream = counted(cast("BinaryIO", process.stdout), Progress(scope, _expected(making, holder.moment.bytes)))
        uploading = pool.submit(_upload, making, STREAMED, stream, bytes_)
        try:
            yield files
            files.append(uploading.result())
        except BaseException:
            process.terminate()  # or the upload would read on
            raise


def _expected(making: Making, bytes_: int) -> int | None:
    """About how large the dump will be, by the snapshot before; None: there is none."""
    known = making.shelf.ids()
    before = making.shelf.manifest(known[-1]) if known else None
    return before.stored * bytes_ // before.bytes if before and before.bytes else None


def _taken(folder: Path) -> int:
    """The bytes of a folder's files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def dumped(making: Making, _scope: Scope) -> bool:
    """Whether the dump is whole, or the snapshot that it was for is there."""
    return making.draft(DRAFT) is not None or making.published()


def discard(making: Making, _scope: Scope) -> str:
    """Remove the dump from this machine."""
    shutil.rmtree(making.folder, ignore_errors=True)
    making.shelf.remove(making.id)
    return f"nothing is left of {making.id}"


def upload(making: Making, scope: Scope) -> str:
    """Put every file into the store."""
    began = time.monotonic()
    draft = making.draft(DRAFT)
    assert draft, "the step before made it"
    folder = making.folder
    paths = [folder / CONTENTS, *sorted(path for path in (folder / DATA).rglob("*") if path.is_file())]

    progress = Progress(scope, sum(path.stat().st_size for path in paths))

    def put(path: Path) -> StoredFile:
        if scope.stopping:
            raise SystemFault("stopped between two objects", reason=Reason.FAILED)
        with path.open("rb") as file:
            return _upload(making, path.relative_to(folder).as_posix(), counted(file, progress), path.stat().st_size)

    with concurrent.futures.ThreadPoolExecutor(making.snapshots.environment.backup.jobs) as pool:
        files = (*draft.files, *pool.map(put, paths))
    seconds = draft.seconds | {"upload": round(time.monotonic() - began, 3)}
    manifest = replace(draft, files=files, seconds=seconds)
    write_atomically(folder / UPLOADED, encode(manifest))
    return f"{len(files)} objects, {size(manifest.stored)}, in {place(making.id, '')}"


def _upload(making: Making, name: str, source: BinaryIO, expected: int) -> StoredFile:
    with sealed.sealed(source, making.snapshots.recipients) as stream:
        digest = making.shelf.objects.upload(place(making.id, name), stream, expected=expected)
    return StoredFile(name=name, size=digest.size, sha256=digest.sha256)


def uploaded(making: Making, _scope: Scope) -> bool:
    """Whether everything is in the store."""
    return making.draft(UPLOADED) is not None or making.published()


def remove(making: Making, _scope: Scope) -> str:
    """Remove what was put into the store."""
    return f"{making.shelf.remove(making.id)} objects removed"


def publish(making: Making, scope: Scope) -> str:
    """Write the manifest: from now on the snapshot exists."""
    manifest = making.draft(UPLOADED)
    assert manifest, "the step before made it"
    missing = [
        file.name for file in manifest.files if making.shelf.objects.size(place(making.id, file.name)) != file.size
    ]
    if missing:
        raise SystemFault(
            "objects are not in the store as they were put there",
            reason=Reason.BAD_ANSWER,
            where=str(making.shelf),
            found=", ".join(missing[:5]),
        )
    making.shelf.publish(manifest)
    scope.record("snapshot", id=manifest.id, text=f"snapshot {manifest.id}")
    return manifest.id


def is_published(making: Making, _scope: Scope) -> bool:
    return making.published()


def tidy(making: Making, _scope: Scope) -> str:
    """Remove the dump from this machine; the store has it."""
    shutil.rmtree(making.folder, ignore_errors=True)
    return "nothing is left on this machine"


def tidied(making: Making, _scope: Scope) -> bool:
    return not making.folder.exists()
