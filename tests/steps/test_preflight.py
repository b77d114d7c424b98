"""Each question that a deploy asks before it begins is seen to refuse one; nothing is deployed for that."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from psycopg import sql

from runbooks.engine.errors import SystemFault
from runbooks.engine.redact import Redactor
from runbooks.engine.secret import Secret
from runbooks.environment.load import load
from runbooks.environment.site import Site
from runbooks.environment.snapshots import Snapshots
from runbooks.environment.store import Store
from runbooks.sandbox.world import Sandbox
from runbooks.steps import preflight
from runbooks.steps.deploying import Deploying
from runbooks.steps.making import Making
from runbooks.steps.preflight import problems
from runbooks.steps.release_state import heads_of
from runbooks.systems.lint import squawk
from runbooks.systems.platform import hosting
from runbooks.systems.platform.hosting import HostState
from runbooks.systems.releases.record import Kind, Release, State
from runbooks.systems.store.folder import FolderStore
from tests.servers import closed_port
from tests.systems.releases.ledgers import Writer

WANTED = hosting.Release("20261128t100000-0123456789ab", "0123456789ab" * 3 + "0123")


@dataclass
class Asked:
    """A deploy that could begin, with a ledger of its own."""

    work: Deploying
    writer: Writer

    @property
    def host(self) -> HostState:
        (state,) = self.work.states().values()
        return state

    def ran_before(self, **other: Any) -> None:
        """Let the ledger say that what really runs was deployed, but for what is given."""
        serving = self.host.serving
        assert serving
        release = Release(
            id=serving.release.id, version="v1", commit=serving.release.commit, heads=heads_of(self.work.site)
        )
        release = replace(release, **other)
        self.writer.write(Kind.DEPLOYED, release.id, release=release, state=State.STABLE)

    def declare(self, table: str, value: Any) -> None:
        """Another table in the inventory."""
        self.work.site.environment = replace(self.work.site.environment, **{table: value})


@pytest.fixture
def asked(sandbox: Sandbox, tmp_path: Path) -> Iterator[Asked]:
    site = Site(load(sandbox.project / "inventory", "local"), Redactor())
    snapshots, run = Snapshots(site), "20261128T100000Z-release.deploy-aaaa"
    work = Deploying(
        site=site,
        snapshots=snapshots,
        making=Making(snapshots, run, None),
        wanted=WANTED,
        version="v2",
        run=run,
        runs=tmp_path / "runs",
    )
    writer = Writer(FolderStore(tmp_path / "store"))
    work.releases = writer.releases
    yield Asked(work, writer)
    site.close()


def told(asked: Asked) -> str:
    """The one thing that stands against it; the plan says the same."""
    found: Sequence[str] = problems(asked.work)
    assert len(found) == 1, found
    assert [line[:20] for line in preflight.plan(asked.work) if "refused" in line] == [f"refused: {found[0]}"[:20]]
    return found[0]


def test_nothing_stands_against_a_deploy_over_what_the_ledger_says_runs(asked: Asked) -> None:
    asked.ran_before()

    assert problems(asked.work) == []
    assert list(preflight.plan(asked.work))[-1] == "the way back is open"


def test_all_that_stands_against_it_is_named_before_anything_is_changed(asked: Asked) -> None:
    asked.declare("deploy", replace(asked.work.declared, free_mib=1 << 40))
    asked.writer.write(Kind.BEGAN, "another", run="20261128T090000Z-release.deploy-bbbb")

    with pytest.raises(SystemFault, match="the way forward or the way back is closed") as caught:
        preflight.preflight(asked.work, None)  # type: ignore[arg-type]  # it comes to no record

    assert "runs.resume or runs.abort 20261128T090000Z-release.deploy-bbbb" in str(caught.value)
    assert "(deploy.free_mib)" in str(caught.value)


def test_a_host_without_room_refuses_it(asked: Asked) -> None:
    asked.declare("deploy", replace(asked.work.declared, free_mib=1 << 40))

    assert f"MiB free, and {1 << 40} are asked for (deploy.free_mib)" in told(asked)


def test_a_host_that_lost_the_release_before_refuses_it(asked: Asked) -> None:
    asked.ran_before()
    cleared = {name: replace(state, releases=()) for name, state in asked.work.states().items()}
    real = asked.work.hosting
    asked.work.site.hosting = SimpleNamespace(observe_all=lambda: cleared, reach=real.reach, close=real.close)

    said = told(asked)

    assert f"does not have {asked.work.before.id if asked.work.before else ''} any more" in said
    assert "nothing to go back to" in said


def test_a_host_that_runs_something_else_refuses_it(asked: Asked) -> None:
    asked.ran_before(commit="f" * 40)

    assert "built from commit" in told(asked)


def test_a_host_that_the_release_before_was_put_to_work_without_closes_nothing(asked: Asked) -> None:
    release = Release(id="v-other", version="v-other", commit="f" * 40, heads=heads_of(asked.work.site))
    left_out = {asked.host.host: "no room"}
    asked.writer.write(Kind.DEPLOYED, release.id, release=release, left_out=left_out)

    assert problems(asked.work) == []


def test_a_release_before_that_migrates_as_it_starts_narrows_the_way_back_and_that_is_said(asked: Asked) -> None:
    asked.ran_before(migrates_at_start=True)

    assert "can't be started again" in list(preflight.plan(asked.work))[-1]


def test_a_schema_that_somebody_migrated_refuses_it(asked: Asked) -> None:
    asked.ran_before(heads=("another",))

    assert "the schema is at" in told(asked)


def test_a_stranger_where_it_would_listen_refuses_it(asked: Asked) -> None:
    idle = asked.host.slots[asked.host.idle]

    with stranger(idle.address):
        said = told(asked)

    assert f"somebody else listens at {idle.address}" in said


@contextlib.contextmanager
def stranger(address: str) -> Iterator[None]:
    """Answers there, if only that it does not know how."""
    host, _, port = address.partition(":")
    with HTTPServer((host, int(port)), BaseHTTPRequestHandler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def test_a_store_that_does_not_answer_refuses_it(asked: Asked) -> None:
    gone = Store(bucket="snapshots", endpoint=f"http://127.0.0.1:{closed_port()}", access_key="a" * 8, region="x")
    asked.declare("store", replace(gone, secret_key="b" * 8))
    del asked.work.releases

    found = problems(asked.work)

    assert found
    assert all("the store can't be reached" in each for each in found)


def test_a_machine_without_postgresql_s_programs_refuses_it(asked: Asked, tmp_path: Path) -> None:
    asked.declare("backup", replace(asked.work.site.environment.backup, bin=str(tmp_path)))

    assert "pg_dump and pg_restore of PostgreSQL" in told(asked)


def test_a_machine_without_squawk_refuses_it(asked: Asked, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(squawk, "sys", SimpleNamespace(executable=str(tmp_path / "python")))
    monkeypatch.setattr(squawk, "shutil", SimpleNamespace(which=lambda _name: None))

    assert "squawk, which lints migrations, is not installed" in told(asked)


def test_a_role_that_could_not_put_a_restored_database_in_place_refuses_it(asked: Asked, sandbox: Sandbox) -> None:
    with reader(asked, sandbox):
        found = problems(asked.work)

    assert any("a rollback would lack the right CREATEDB" in each for each in found), found
    assert any("a rollback would lack the rights of" in each for each in found), found


@contextlib.contextmanager
def reader(asked: Asked, sandbox: Sandbox) -> Iterator[None]:
    """The deploy reaches the database as a role that may only connect."""
    access = asked.work.snapshots.access
    role, password = f"reader_{secrets.token_hex(3)}", secrets.token_hex(8)
    named = {"role": sql.Identifier(role), "database": sql.Identifier(access.database), "password": password}
    with sandbox.superuser() as connection:
        connection.execute(sql.SQL("CREATE ROLE {role} LOGIN PASSWORD {password}").format(**named))
        connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {database} TO {role}").format(**named))
    parts = urlsplit(access.url.reveal())
    url = parts._replace(netloc=f"{role}:{password}@{parts.hostname}:{parts.port}").geturl()
    asked.work.snapshots.access = replace(access, url=Secret("a reader's URL", url))
    try:
        yield
    finally:
        with sandbox.superuser() as connection:
            connection.execute(sql.SQL("REVOKE CONNECT ON DATABASE {database} FROM {role}").format(**named))
            connection.execute(sql.SQL("DROP ROLE {role}").format(**named))
