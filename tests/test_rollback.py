"""Rollbacks from end to end, in a sandbox whose releases were deployed one after another."""

from __future__ import annotations

import csv
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from runbooks import project
from runbooks.engine.errors import SystemFault
from runbooks.environment.snapshots import Snapshots
from runbooks.sandbox.layout import Layout
from runbooks.sandbox.world import Sandbox
from runbooks.steps.making import contents_of
from runbooks.systems.postgres.fingerprint import fingerprints, tables
from runbooks.systems.postgres.records import Fingerprint
from runbooks.systems.postgres.snapshot import seeing
from tests.deploys import Deploys, deploys_in
from tests.rotated import runs_with
from tests.sandbox.servers import open_folder

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
KEY = "JWT_SECRET_KEY"
SINCE = """
INSERT INTO "user"
(username, email, hashed_password, is_active, is_superuser, is_email_verified, created_at, updated_at) VALUES
('since', 'since@praviel.test', 'x', true, false, false, now(), now());
"""


@pytest.fixture(scope="module")
def deployed(installed: Layout) -> Iterator[Deploys]:
    """v1, v2 and v3 were deployed, each over a schema of its own."""
    with open_folder() as folder, deploys_in(folder, installed, "v1", "v2", "v3") as made:
        yield made


@pytest.fixture
def deploys(deployed: Deploys, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deploys]:
    monkeypatch.setenv(project.VARIABLE, str(deployed.shell.project))
    yield deployed
    deployed.close()


def snapshots(deploys: Deploys) -> Snapshots:
    return Snapshots(deploys.site())


def state(deploys: Deploys) -> Mapping[str, Fingerprint]:
    """The live database's tables, but for the one that every start of the application writes anew."""
    access = snapshots(deploys).access
    with seeing(access) as connection:
        known = [table for table in tables(connection) if table.name != "language"]
    return fingerprints(access, known, jobs=2, stopping=threading.Event())


def write(deploys: Deploys) -> None:
    with snapshots(deploys).access.connection(search_path="public") as connection:
        connection.execute(SINCE)


def succeeds(deploys: Deploys, *words: str, code: int = 0) -> str:
    done = deploys.shell.invoke(*words, seconds=300)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def serves(deploys: Deploys, version: str) -> bool:
    """Whether requests go to this release, and it answers well."""
    site = deploys.site()
    (host,) = site.hosting.hosts
    state = site.hosting.observe(host)
    assert site.application.get("/health/db").object()["status"] == "ok"
    assert state.active
    assert not state.slots[state.idle].running, "only one release runs"
    return bool(state.serving and state.serving.release.commit == deploys.commit(version))


def last_rollback(deploys: Deploys) -> str:
    """The newest rollback's id."""
    return max((deploys.shell.project / "var" / "runs" / "local").glob("*-rollback-*")).name


def test_two_deploys_back_and_forward_again_nothing_is_lost(deploys: Deploys, tmp_path: Path) -> None:
    history = deploys.releases().history()
    (second,) = [each.release for each in history.activations if each.release.version == "v2"]
    assert second.snapshot_before
    write(deploys)
    before = state(deploys)

    said = succeeds(deploys, "rollback", "--to", "v1")

    run = last_rollback(deploys)
    assert f"with snapshot {second.snapshot_before}" in said
    recorded = contents_of(snapshots(deploys), snapshots(deploys).shelf.find(second.snapshot_before)).tables
    changed = [name for name, found in state(deploys).items() if recorded[name] != found]
    assert changed == [], "the data are as v1 left them"
    assert serves(deploys, "v1")
    assert "to be posted in Discord" in said
    announcement = deploys.shell.project / "var" / "runs" / "local" / run / "announcement.md"
    assert f"to be copied from {announcement}" in said
    assert announcement.read_text().startswith("**PRAVIEL runs v1 again.**")

    succeeds(deploys, "quarantine.export", "--into", str(tmp_path / "out"))
    (file,) = (tmp_path / "out").glob("*user-*.csv")
    with file.open(newline="") as stream:
        assert "since" in [row["username"] for row in csv.DictReader(stream)], "what was written since can be had"

    undone = succeeds(deploys, "rollback", "--undo", run)

    assert "UNDONE" in undone
    assert state(deploys) == before, "the data are as they were before the rollback"
    assert serves(deploys, "v3")
    assert deploys.releases().history().current == history.current


def test_code_alone_is_refused_where_the_old_release_would_crash_on_todays_schema(deploys: Deploys) -> None:
    before, count = state(deploys), len(deploys.releases().entries())

    said = succeeds(deploys, "rollback", "--keep-data", code=2)

    assert "its start command migrates: Alembic exits 255" in said
    assert (state(deploys), len(deploys.releases().entries())) == (before, count)


def test_a_release_that_does_not_become_well_is_taken_back_with_the_data(deploys: Deploys) -> None:
    before = state(deploys)
    (second,) = [each.release for each in deploys.releases().history().activations if each.release.version == "v2"]
    main = Sandbox.of(deploys.shell.project).layout.releases("local") / second.id / "app" / "main.py"
    text = main.read_text()
    main.write_text("raise SystemExit('broken on the host')\n")
    try:
        said = succeeds(deploys, "rollback", code=6)
    finally:
        main.write_text(text)

    assert "broken on the host" in said
    assert state(deploys) == before
    assert serves(deploys, "v3")
    history = deploys.releases().history()
    assert history.current
    assert history.current.version == "v3"
    assert history.begun == []


def test_going_back_with_code_only_drops_no_request_and_brings_no_retired_secret_back(deploys: Deploys) -> None:
    third, sandbox = state(deploys), Sandbox.of(deploys.shell.project)
    deploys.deploy("v6")
    retired = sandbox.variables("local")[KEY]
    deploys.deploy("v7")
    succeeds(deploys, "secrets.rotate", KEY, "--accept", "1000")
    key = sandbox.variables("local")[KEY]
    before, stop = state(deploys), threading.Event()
    answers: list[int | str] = []

    def ask() -> None:
        site = deploys.site()
        application = site.application
        while not stop.is_set():
            try:
                answers.append(application.get("/health").status)
            except SystemFault as fault:
                answers.append(str(fault))
            stop.wait(0.01)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        said = succeeds(deploys, "rollback", "--keep-data")
    finally:
        stop.set()
        for thread in threads:
            thread.join()

    assert "ROLLED BACK" in said
    assert serves(deploys, "v6")
    assert retired != key
    assert runs_with(sandbox, "local", {KEY: key})
    assert state(deploys) == before
    assert len(answers) > 100
    assert set(answers) == {200}

    succeeds(deploys, "rollback", "--to", "v3", "--restore-data")  # for the other tests, too

    assert serves(deploys, "v3")
    assert state(deploys) == third
