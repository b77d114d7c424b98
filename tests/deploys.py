"""Releases put to work in a sandbox's local environment as a deploy does it: snapshot, migrate, switch, record."""

from __future__ import annotations

import contextlib
import io
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pygit2
import pytest

from runbooks import command, project
from runbooks.engine import lease, runs
from runbooks.engine.redact import Redactor
from runbooks.engine.step import Scope
from runbooks.environment.load import load
from runbooks.environment.site import Site
from runbooks.environment.snapshots import Snapshots
from runbooks.options import Options
from runbooks.sandbox.layout import Layout, prepare
from runbooks.sandbox.world import Sandbox
from runbooks.steps import baking, gate, slots
from runbooks.steps.serving import Serving
from runbooks.systems.platform import hosting
from runbooks.systems.postgres.heads import heads_of
from runbooks.systems.releases.ledger import Releases
from runbooks.systems.releases.record import Entry, Kind, Release, State
from tests.conftest import Shell, new_project
from tests.sandbox.servers import link_installed


@dataclass
class Deploys:
    """Deploys to one sandbox's local environment; RUNBOOKS_PROJECT must name its project."""

    shell: Shell
    opened: list[Site] = field(default_factory=list)

    def site(self) -> Site:
        """What steps and checks ask; closed by `close`."""
        self.opened.append(Site(load(self.shell.project / "inventory", "local"), Redactor()))
        return self.opened[-1]

    def close(self) -> None:
        while self.opened:
            self.opened.pop().close()

    def releases(self) -> Releases:
        return Releases(Snapshots(self.site()).shelf.store)

    def commit(self, tag: str) -> str:
        repository = pygit2.Repository(str(Sandbox.of(self.shell.project).layout.repository))
        return str(repository.revparse_single(tag).id)

    def deploy(self, tag: str, *, migrations: dict[str, str] | None = None) -> Release:
        """Put a tag's release to work and hold it for stable."""
        stream = io.StringIO()
        assert command.start("backup.create", Options(environment="local", stream=stream)) == 0, stream.getvalue()
        site = self.site()
        snapshots = Snapshots(site)
        held = lease.acquire(snapshots.shelf.store, run=runs.new_id("release.deploy"), reason="a test")
        try:
            return self._deploy(site, snapshots, tag, held, migrations or {})
        finally:
            lease.release(snapshots.shelf.store, held)
            site.close()

    def _deploy(
        self, site: Site, snapshots: Snapshots, tag: str, held: lease.Lease, migrations: dict[str, str]
    ) -> Release:
        commit = self.commit(tag)
        placed = hosting.Release(f"{tag}-{secrets.token_hex(3)}", commit)
        work = Serving(
            site=site, snapshots=snapshots, wanted=placed, run=held.run, runs=self.shell.project / "var" / "runs"
        )
        scope = Scope(
            run=held.run,
            before={},
            seconds=300,
            stopping=threading.Event(),
            say=lambda _text: None,
            record=lambda _kind, **_data: None,
            token=held.token,
        )
        before = snapshots.shelf.find("newest").id
        slots.build(work, scope)
        (host,) = site.hosting.hosts
        site.hosting.changes(held.token).run_in_release(host, placed, ("alembic", "upgrade", "head"), work.variables)
        for step in (slots.start, gate.prove_itself, slots.switch, baking.smoke):
            step(work, scope)
        release = Release(
            id=placed.id,
            version=tag,
            commit=commit,
            heads=heads_of(snapshots.access),
            snapshot_before=before,
            migrations=migrations,
            migrates_at_start=tag in ("v1", "v2", "v3", "v4", "v5"),
        )
        entry = Entry(
            kind=Kind.DEPLOYED,
            at=datetime.now(UTC),
            by="test",
            run=held.run,
            token=held.token,
            id=release.id,
            release=release,
            state=State.STABLE,
        )
        work.releases.append(replace(entry, number=0))
        slots.rest(work, scope)
        return release


@contextlib.contextmanager
def deploys_in(folder: Path, installed: Layout, *tags: str) -> Iterator[Deploys]:
    """A sandbox of its own to which these were deployed, one after another."""
    shell = new_project(folder, rehearsed=False)
    link_installed(installed, prepare(folder))
    try:
        up = shell.invoke("sandbox.up", seconds=400)
        assert up.returncode == 0, up.stdout + up.stderr
        made = Deploys(shell)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(project.VARIABLE, str(folder))
            for tag in tags:
                made.deploy(tag)
        made.close()
        yield made
    finally:
        shell.invoke("sandbox.down")
