"""Restores a snapshot into a database beside the one it was taken of, and proves that the two are equal."""

from __future__ import annotations

import concurrent.futures
import contextlib
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.step import Scope
from runbooks.steps.making import fresh_folder, room, size
from runbooks.steps.progress import Progress, passing, watched
from runbooks.steps.restoring import FILLED, FILLING, MADE, PROVEN, Restoring
from runbooks.systems.postgres import commands, databases, programs
from runbooks.systems.postgres.client import Connection
from runbooks.systems.postgres.extensions import create_extensions, lacking_extensions
from runbooks.systems.postgres.fingerprint import tables
from runbooks.systems.postgres.records import ALGORITHM
from runbooks.systems.postgres.rights import lacking_rights, may_own_for_all
from runbooks.systems.postgres.subscriptions import leave_publishers
from runbooks.systems.snapshots import sealed
from runbooks.systems.snapshots.manifest import StoredFile

_IN_FUNCTION = re.compile(r"(?:PL/pgSQL|SQL) function ([\w.\"(), \[\]]+?)(?: line| statement| during|$)")

FETCHED = "fetched"
"""The file that says that the whole archive is on this machine."""

SECONDS = 24 * 3600.0
"""The longest time that a download, a restore or a proof may take."""


def look(restoring: Restoring, _scope: Scope) -> str:
    """Find out whether it can be done; nothing is changed."""
    return survey(restoring)


def survey(restoring: Restoring) -> str:
    """What would be restored, and where.

    Raises:
        RunbookError: it can't be; the message names everything that is lacking.
    """
    manifest, snapshots = restoring.manifest, restoring.snapshots
    refuse_foreign(restoring)
    _ = restoring.programs
    contents = restoring.contents
    with snapshots.access.connection() as connection:
        server = connection.info.server_version
        if server // 10000 != manifest.major:
            raise InputError(
                "the snapshot was taken from another major version of PostgreSQL",
                where=manifest.id,
                found=f"it is of {manifest.major}, the server is {server // 10000}",
                mend=f"restore into a server of PostgreSQL {manifest.major}: fingerprints are not comparable across",
            )
        lacking = [
            *lacking_rights(connection, contents.properties.owner, contents.roles, contents.catalogue["owners"]),
            *lacking_extensions(connection, contents.catalogue["extensions"]),
        ]
    needed, free = restoring.bytes, room(restoring.folder)
    if free < needed:
        lacking.append(f"{size(needed)} on this machine for the archive; {size(free)} are free in backup.work")
    if lacking:
        raise InputError(
            "the snapshot can't be restored with what there is",
            where=str(snapshots.access),
            found="; ".join(lacking),
            mend="declare backup.database_url with a role that has these rights, and install what is missing",
        )
    told = f"{manifest.id}: {manifest.tables} tables with {manifest.rows} rows into {restoring.sibling}"
    return told + _slowness(restoring)


def refuse_foreign(restoring: Restoring) -> None:
    """Raises InputError if the snapshot is not of this environment's database, or of another tool's version."""
    manifest, snapshots = restoring.manifest, restoring.snapshots
    if manifest.database in databases.UNMOVABLE:
        raise InputError(
            f"a database named {manifest.database} can't be replaced: the server itself relies on it",
            where=str(snapshots.access),
            mend="move the application into a database with a name of its own",
        )
    here = (snapshots.environment.name, snapshots.database)
    if (manifest.environment, manifest.database) != here:
        raise InputError(
            "the snapshot is another environment's or database's",
            where=manifest.id,
            found=f"{manifest.environment}/{manifest.database}, not {'/'.join(here)}",
            mend="invoke backup.list",
        )
    if manifest.algorithm != ALGORITHM:
        mend = "use the version of this tool that wrote it"
        raise InputError(
            "the snapshot was fingerprinted in another way", where=manifest.id, found=manifest.algorithm, mend=mend
        )


def plan_fetch(restoring: Restoring) -> Iterable[str]:
    """What would be downloaded."""
    yield survey(restoring)
    yield f"{len(restoring.files)} objects, {size(restoring.bytes)}, from {restoring.snapshots.shelf}"


def plan_fill(restoring: Restoring) -> Iterable[str]:
    """What would be run."""
    names = ", ".join(sorted(restoring.contents.catalogue["extensions"]))
    yield f"CREATE DATABASE {restoring.sibling}, with {names}"
    jobs = restoring.snapshots.environment.backup.jobs
    yield f"{restoring.programs.path('pg_restore')} --exit-on-error --jobs={jobs} --dbname={restoring.sibling}"


def fetch(restoring: Restoring, scope: Scope) -> str:
    """Download the archive; every object must be the one that was put into the store."""
    fresh_folder(restoring.folder)
    shelf, manifest = restoring.snapshots.shelf, restoring.manifest
    by, progress = restoring.snapshots.reader_of(manifest), Progress(scope, restoring.bytes)

    def get(file: StoredFile) -> None:
        if scope.stopping:
            raise SystemFault("stopped between two objects", reason=Reason.FAILED)
        path = restoring.folder / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        with sealed.opened(passing(shelf.read(manifest, file), progress), by) as stream, path.open("wb") as target:
            shutil.copyfileobj(stream, target, 1 << 20)

    with concurrent.futures.ThreadPoolExecutor(restoring.snapshots.environment.backup.jobs) as pool:
        list(pool.map(get, restoring.files))
    (restoring.folder / FETCHED).touch()
    return f"{len(restoring.files)} objects, {size(restoring.bytes)}, as they were written"


def fetched(restoring: Restoring, _scope: Scope) -> bool:
    """Whether the archive is here, or not needed any more."""
    return (restoring.folder / FETCHED).exists() or restoring.reached(FILLED, PROVEN)


def forget(restoring: Restoring, _scope: Scope) -> str:
    """Remove the archive from this machine; the store has it."""
    shutil.rmtree(restoring.folder, ignore_errors=True)
    return "nothing is left on this machine"


def forgotten(restoring: Restoring, _scope: Scope) -> bool:
    return not restoring.folder.exists()


def create(restoring: Restoring, _scope: Scope) -> str:
    """Make the sibling, empty, marked with this run, and closed to everybody but its owner."""
    _drop_sibling(restoring)  # half made by an attempt that was killed; its name is this run's
    with restoring.snapshots.access.connection() as connection:
        databases.create(connection, restoring.sibling, restoring.contents.properties, restoring.said(MADE))
    return restoring.sibling


def created(restoring: Restoring, _scope: Scope) -> bool:
    return restoring.mark() is not None


def drop(restoring: Restoring, _scope: Scope) -> str:
    """Drop the sibling. Its name carries this run's id, so it can be nobody else's."""
    _drop_sibling(restoring)
    return f"{restoring.sibling} is gone"


def _drop_sibling(restoring: Restoring) -> None:
    access, sibling = restoring.snapshots.access, restoring.sibling
    with access.connection() as connection:
        if not databases.exists(connection, sibling):
            return
        leave_publishers(access, sibling)
        databases.drop(connection, sibling)


def fill(restoring: Restoring, scope: Scope) -> str:
    """Restore the archive into the sibling: extensions first, and nothing into what an attempt before has begun."""
    if not restoring.reached(MADE):
        create(restoring, scope)
    snapshots, contents = restoring.snapshots, restoring.contents
    access, backup, sibling = snapshots.access, snapshots.environment.backup, restoring.sibling
    with access.connection() as connection:
        databases.set_mark(connection, sibling, restoring.said(FILLING))
        role = None if may_own_for_all(connection) else contents.properties.owner
    with access.connection(sibling) as connection:
        _refuse_contents(connection, sibling)
        schemas = create_extensions(connection, contents.catalogue, role)
    variables = restoring.programs.environment(
        access.environment(
            sibling,
            maintenance_work_mem=f"{backup.restore_memory_mb}MB",
            max_parallel_maintenance_workers=str(backup.jobs),
            synchronous_commit="off",
            lock_timeout="0",
        )
    )
    program = restoring.programs.path("pg_restore")
    entries = restoring.folder / "entries"
    contents_listed = programs.output(
        commands.listing(program, restoring.archive), variables, stopping=scope.stop_event
    )
    entries.write_text(commands.entries_to_restore(contents_listed, schemas), encoding="utf-8")
    argv = commands.restore(program, restoring.archive, database=sibling, entries=entries, jobs=backup.jobs, role=role)
    said: list[str] = []
    with (
        _naming_careless_functions(said),
        access.connection() as watching,
        watched(scope, restoring.manifest.bytes, lambda: databases.bytes_of(watching, sibling)),
    ):
        programs.run(argv, variables, stopping=scope.stop_event, say=said.append)
    with access.connection(sibling) as connection:
        databases.analyze(connection, only_what_no_archive_has=commands.has_statistics(contents_listed))
        databases.bestow(connection, sibling, contents.properties)
        databases.set_mark(connection, sibling, restoring.said(FILLED))
    objects = commands.count_entries(entries.read_text(encoding="utf-8"))
    return f"{objects} objects restored into {sibling}{_slowness(restoring)}"


def _slowness(restoring: Restoring) -> str:
    """What makes it slower than it could be. The server says so itself, but archives silence its notices."""
    wanted = -(-restoring.contents.vector_memory * 11 // 10 >> 20)
    given = restoring.snapshots.environment.backup.restore_memory_mb
    if wanted <= given:
        return ""
    return f"; slowly: a vector index wants some {wanted} MiB, and backup.restore_memory_mb is {given}"


def _refuse_contents(connection: Connection, sibling: str) -> None:
    """Restore into an empty database only: what somebody has put there would be mixed with what comes."""
    there = tables(connection)
    if there:
        raise SystemFault(
            "the database to restore into is not empty",
            reason=Reason.FAILED,
            where=sibling,
            found=", ".join(table.identifier for table in there[:5]),
            mend="see who has written into it; this run's next attempt makes it anew",
        )


@contextlib.contextmanager
def _naming_careless_functions(said: Sequence[str]) -> Iterator[None]:
    """Tell what to do about a function that only works with the search_path of the application."""
    try:
        yield
    except SystemFault as fault:
        text = " ".join(said)
        name = _IN_FUNCTION.search(text)
        if name is None or "does not exist" not in text:
            raise
        raise SystemFault(
            fault.what,
            reason=fault.reason,
            where=fault.where,
            found=fault.found,
            mend="pg_restore works without a search_path; in the live database:"
            f" ALTER FUNCTION {name[1]} SET search_path = …; then take another snapshot",
        ) from fault


def filled(restoring: Restoring, _scope: Scope) -> bool:
    return restoring.reached(FILLED, PROVEN)
