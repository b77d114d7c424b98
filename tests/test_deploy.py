"""Deploys on a sandbox of their own: the good releases one after another, and what becomes of the bad ones."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbooks import deploy
from runbooks.engine import lease
from runbooks.engine.journal import FILE_NAME, read_chain
from runbooks.engine.wait import until
from runbooks.sandbox import environments, ports, postgres_server
from runbooks.sandbox.layout import Layout
from runbooks.sandbox.repository import checkout
from runbooks.sandbox.world import Sandbox
from runbooks.systems.releases.record import State
from runbooks.systems.store.folder import FolderStore
from tests.crash.sandboxes import succeeds
from tests.deployed import PATIENT, Place, place

ANNA = {"RUNBOOKS_OPERATOR": "anna@desk"}


@pytest.fixture(scope="module")
def here(installed: Layout) -> Iterator[Place]:
    with place(installed) as made:
        yield made


@pytest.mark.matrix
@pytest.mark.timeout(900)
def test_releases_follow_each_other_and_bad_ones_are_taken_back(here: Place) -> None:
    """One story, since each deploy stands on the one before; a sandbox for each would cost a minute."""
    here.back_to_first()
    said = here.deploy("v2")
    assert "20251103_profile_timezone: additive" in said
    assert "DEPLOYED v2 to local (sandbox)" in said
    here.is_consistent()
    history = here.history()
    assert [each.release.version for each in history.line] == ["v1", "v2"]
    assert [history.state(each.release.id) for each in history.line] == [State.STABLE, State.STABLE]
    assert history.line[0].release.variables_backup, "the first release's, kept before the ledger began"

    said = here.deploy("v3")
    assert "20251110_drop_profile_phone: contracting (ban-drop-column)" in said
    here.is_consistent()
    history = here.history()
    v1, v2, v3 = (each.release for each in history.line)
    assert history.snapshot_before_first_after(v1.id) == v2.snapshot_before
    assert history.snapshot_before_first_after(v2.id) == v3.snapshot_before
    assert v3.migrations == {"20251110_drop_profile_phone": "contracting"}
    assert v3.migrates_at_start
    assert v3.variables_backup

    here.declare(gate_seconds=20.0)
    said = here.deploy("v4", code=6)
    assert "Have it prove itself there" in said
    assert "/health: HTTP 500" in said
    assert here.version() == "v3"
    here.is_consistent()
    assert State.BAD in here.history().states.values()

    here.declare(**{**PATIENT, "latency_floor_ms": 350.0})
    said = here.deploy("v5", code=6)
    assert "in the bake: " in said
    assert "requests go back to" in said
    here.declare(**PATIENT)
    assert here.version() == "v3"
    here.is_consistent()


@pytest.mark.matrix
def test_a_migration_that_waits_for_a_lock_gives_up_and_the_first_release_goes_on(here: Place) -> None:
    here.back_to_first()
    sandbox = Sandbox.of(here.shell.project)
    port = sandbox.numbers()[ports.POSTGRES]
    with postgres_server.connect(sandbox.layout, port, environments.database("local")) as busy:
        busy.autocommit = False
        busy.execute("LOCK TABLE user_profile IN ROW EXCLUSIVE MODE")  # as a transaction that writes and does not end
        said = here.deploy("v2", code=6)
        busy.rollback()

    assert "canceling statement due to lock timeout" in said
    assert here.version() == "v1"
    here.is_consistent()


@pytest.mark.matrix
def test_a_second_operator_is_told_who_is_at_work_since_when_and_why(here: Place) -> None:
    words = ("release.deploy", "--ref", "v2", "--reason", "the fix for the reader")
    first = here.shell.start(*words, environment=ANNA)
    try:
        until(lambda: held(here.shell.project / "var" / "store" / "local"), seconds=60, what="nobody took the lease")
        said = succeeds(here.shell, "release.deploy", "--ref", "v2", code=5)
    finally:
        out, error = first.communicate(timeout=300)

    assert "anna@desk since 20" in said
    assert "the fix for the reader" in said
    assert first.returncode == 0, out + error
    here.is_consistent()


@pytest.mark.matrix
@pytest.mark.timeout(900)
def test_a_person_answers_for_a_bake_that_is_inconclusive_or_takes_it_back(here: Place, tmp_path: Path) -> None:
    """Three of twenty answers are slow: too few to call the release slow, too many to call it as quick as before."""
    here.back_to_first()
    repository = Sandbox.of(here.shell.project).layout.repository
    slow = checkout(repository, "v2", tmp_path / "slow", "health-slow")
    asked = ["/openapi.json"] * 17 + ["/health"] * 3
    here.declare(latency_floor_ms=1400.0, bake_paths=asked)

    said = here.deploy(slow, code=7)
    run = here.last_run()
    assert "the bake is inconclusive" in said
    assert f"invoke runs.resume {run} bakes it again, with --accept WHY you answer for it" in said
    assert here.version() == "v1"
    said = succeeds(here.shell, "runs.resume", run, code=7)
    assert "what was measured before stands" in said, "or the release would be compared with itself"
    succeeds(here.shell, "runs.abort", run, code=6)
    assert here.version() == "v1"
    here.is_consistent()

    here.deploy(slow, code=7)
    run = here.last_run()
    succeeds(here.shell, "runs.resume", run, "--accept", "the dashboard is fine", environment=ANNA)
    here.is_consistent()
    history = here.history()
    assert history.current
    assert history.current.commit == slow
    assert history.state(history.current.id) is State.CANDIDATE
    entry = history.entries[-1]
    assert (entry.by, entry.reason) == ("anna@desk", "its bake was accepted by anna@desk: the dashboard is fine")
    assert "bake: accepted by anna@desk: the dashboard is fine" in succeeds(here.shell, "runs.show", run)
    here.declare(**PATIENT, bake_paths=["/health"])


@pytest.mark.matrix
@pytest.mark.timeout(900)
def test_a_deploy_that_was_lost_with_its_machine_is_settled_by_a_person(here: Place) -> None:
    here.back_to_first()
    lost = here.shell.start("release.deploy", "--ref", "v2")
    until(
        lambda: here.history().begun and "start" in done_steps(here), seconds=120, what="it has not come to its start"
    )
    lost.kill()
    lost.communicate()
    shutil.rmtree(here.shell.project / "var" / "runs" / "local" / here.last_run())

    said = here.deploy("v2", code=6)
    assert "where neither is possible any more: invoke release.settle" in said
    assert "the schema was left at 20251103" in succeeds(here.shell, "release.settle", "--reason", "its disk is gone")
    here.is_consistent()
    assert here.version() == "v1"
    here.deploy("v2")
    here.is_consistent()


def done_steps(here: Place) -> set[str]:
    """The steps of the deploy that goes on which have ended."""
    records = read_chain(here.shell.project / "var" / "runs" / "local" / here.last_run() / FILE_NAME).records
    return {str(record.data["step"]) for record in records if record.kind == "outcome"}


def held(folder: Path) -> bool:
    """Whether somebody holds the lease."""
    found, _ = lease.read(FolderStore(folder))
    return found is not None and found.run != ""


def test_every_step_that_changes_what_runs_can_be_taken_back() -> None:
    steps = {step.name: step for step in deploy.runbook().steps}

    assert {name for name, step in steps.items() if step.undo} == {"claim", "start", "switch"}
    assert list(steps).index("record") > list(steps).index("bake")
    assert list(steps).index("publish") < list(steps).index("migrate")
