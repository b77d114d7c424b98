"""A PostgreSQL server of a test's own: for what the session's server must not suffer, or is not set up for."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from runbooks import snapshots
from runbooks.engine.wait import until
from runbooks.options import Options
from runbooks.sandbox.layout import Layout
from runbooks.sandbox.postgres_install import install_folder, major_version
from runbooks.sandbox.world import Sandbox
from runbooks.systems.postgres.cluster import Cluster
from runbooks.systems.postgres.programs import Programs
from tests.sandbox.servers import open_folder
from tests.vaults import Vault

TRUSTING = "local all all trust\nlocal replication all trust\n"
"""Only who may enter the socket's folder can ask at all."""


@dataclass
class OwnVault(Vault):
    """A vault on such a server, as its superuser."""

    cluster: Cluster = field(kw_only=True)

    @property
    def admin_url(self) -> str:
        return self.cluster.access(self.database).url.reveal()

    @property
    def owner_url(self) -> str:
        return self.admin_url

    @property
    def own_programs(self) -> Path:
        return self.cluster.programs.folder

    def switch(self, *, code: int = 0) -> str:
        """``backup.restore --switch`` in this process: what was printed."""
        stream = io.StringIO()
        options = Options(environment=self.name, stream=stream, parameters={"switch": True})
        found = snapshots.start("backup.restore", "newest", options)
        assert found == code, stream.getvalue()
        return " ".join(stream.getvalue().split())


@contextlib.contextmanager
def own_server(installed: Layout, settings: Mapping[str, str]) -> Iterator[Cluster]:
    """One with these settings; nothing is left of it."""
    tree = install_folder(installed)
    with open_folder() as folder:
        made = Cluster(folder / "server", Programs(tree / "bin", int(major_version(tree))))
        try:
            made.start()
            configure(made, settings)
            made.start()
            yield made
        finally:
            made.remove()


def configure(cluster: Cluster, settings: Mapping[str, str]) -> None:
    """Write the settings of its next start."""
    with (cluster.data / "postgresql.conf").open("a") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
    (cluster.data / "pg_hba.conf").write_text(TRUSTING)


@contextlib.contextmanager
def standby_of(primary: Cluster, settings: Mapping[str, str] | None = None) -> Iterator[Cluster]:
    """A physical standby that streams from a server: a copy of its data, made while it was stopped."""
    made = Cluster(primary.folder.with_name("standby"), primary.programs)
    try:
        primary.stop()
        shutil.copytree(primary.folder, made.folder, ignore=shutil.ignore_patterns("postmaster.pid", ".s.*", "log"))
        for path in [made.folder, *made.folder.rglob("*")]:
            like = primary.folder.stat()
            os.chown(path, like.st_uid, like.st_gid)
        (made.data / "standby.signal").touch()
        follow = {"primary_conninfo": f"host={primary.folder} port=5432 user=postgres"}
        configure(made, {**follow, **(settings or {})})
        primary.start()
        made.start()
        yield made
    finally:
        made.remove()


def crash(cluster: Cluster) -> None:
    """Have a process of the server killed, so that it cuts everybody off and recovers."""
    postmaster = psutil.Process(int((cluster.data / "postmaster.pid").read_text().split(maxsplit=1)[0]))
    children = postmaster.children()
    children[0].send_signal(signal.SIGKILL)
    until(lambda: not any(each.is_running() for each in children), seconds=60, what="a session goes on")


def vault_on(cluster: Cluster, project: Path, database: str) -> OwnVault:
    """An environment whose database is on the server; it has a hundred notes."""
    access = cluster.access("postgres")
    with access.connection() as connection:
        connection.execute(f"CREATE DATABASE {database}")
    made = OwnVault(project, Sandbox.of(project), database, cluster=cluster)
    made.write()
    made.execute(
        "CREATE TABLE note (id serial PRIMARY KEY, body text);"
        "INSERT INTO note (body) SELECT 'note ' || n FROM generate_series(1, 100) n"
    )
    return made
