"""A drill in a server of its own: started for it, and removed with all that is in it. The live server is not asked."""

from __future__ import annotations

from collections.abc import Iterable

from runbooks.engine.errors import InputError
from runbooks.engine.step import Scope
from runbooks.steps import restoration
from runbooks.steps.drilling import Drilling
from runbooks.steps.making import room, size
from runbooks.systems.postgres.cluster import Cluster
from runbooks.systems.postgres.extensions import lacking_extensions

PACKAGES = {"vector": "postgresql-{major}-pgvector", "postgis": "postgresql-{major}-postgis-3"}
"""Of Debian, for extensions that PostgreSQL's own packages do not bring."""


def server(work: Drilling) -> Cluster:
    assert work.cluster, "such a drill is put together with one"
    return work.cluster


def look(work: Drilling, _scope: Scope) -> str:
    """Find out whether it can be done; nothing is changed."""
    return survey(work)


def survey(work: Drilling) -> str:
    """What would be restored, and where.

    Raises:
        InputError: it can't be: the programs of a server are missing, say.
    """
    restoration.refuse_foreign(work)
    _ = work.programs
    server(work).refuse()
    manifest = work.manifest
    needed, free = work.bytes + manifest.bytes, room(work.folder)
    if free < needed:
        raise InputError(
            "the archive and the restored database have no room here",
            where=str(work.folder.parent),
            found=f"{size(needed)} are needed, {size(free)} are free",
            mend="declare a folder with more room as backup.work, or drill without --cluster",
        )
    told = f"{manifest.id}: {manifest.tables} tables with {manifest.rows} rows"
    return f"{told} into a server of its own, by {server(work).programs.folder}"


def fetched(work: Drilling, _scope: Scope) -> bool:
    """Whether the archive is here."""
    return (work.folder / restoration.FETCHED).exists()


def plan_fetch(work: Drilling) -> Iterable[str]:
    """What would be downloaded."""
    yield survey(work)
    yield f"{len(work.files)} objects, {size(work.bytes)}, from {work.snapshots.shelf}"


def plan_start(work: Drilling) -> Iterable[str]:
    """What would be started."""
    yield f"{server(work).programs.path('initdb')} and pg_ctl start in {server(work).folder}, on a socket there only"


def start(work: Drilling, _scope: Scope) -> str:
    """Have the server run, with the roles that the snapshot names.

    Raises:
        InputError: it lacks extensions.
    """
    cluster, contents = server(work), work.contents
    cluster.start()
    properties = contents.properties
    named = {properties.owner, *contents.roles, *(role for role, _, _ in properties.grants)}
    named |= {role for role, _ in properties.settings}
    cluster.furnish(work.manifest.database, sorted(named - {""}))
    with work.snapshots.access.connection() as connection:
        lacking = list(lacking_extensions(connection, contents.catalogue["extensions"]))
    if lacking:
        major = cluster.programs.major
        wanted = [
            text.format(major=major) for name, text in PACKAGES.items() if name in contents.catalogue["extensions"]
        ]
        raise InputError(
            "the snapshot can't be restored into a server of these programs",
            where=str(cluster.programs.folder),
            found="; ".join(lacking),
            mend=f"install {', '.join(wanted) or 'them'} in these versions; or drill without --cluster",
        )
    return f"PostgreSQL {cluster.programs.major} runs in {cluster.folder}"


def started(work: Drilling, _scope: Scope) -> bool:
    return server(work).running()


def remove(work: Drilling, scope: Scope) -> str:
    """End the server, and remove it and the archive."""
    server(work).remove()
    return restoration.forget(work, scope)


def removed(work: Drilling, _scope: Scope) -> bool:
    """Whether nothing of it is left."""
    return not server(work).folder.exists() and not work.folder.exists()
