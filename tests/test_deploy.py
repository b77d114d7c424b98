"""Deploys on a sandbox of their own: the good releases one after another, and what becomes of the bad ones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runbooks import deploy
from runbooks.sandbox.layout import Layout
from runbooks.systems.releases.record import State
from tests.deployed import Place, place


@pytest.fixture(scope="module")
def here(installed: Layout) -> Iterator[Place]:
    with place(installed) as made:
        yield made


@pytest.mark.matrix
def test_releases_follow_each_other_and_bad_ones_are_taken_back(here: Place) -> None:
    """One story, since each deploy stands on the one before; a sandbox for each would cost a minute."""
    said = here.deploy("v2")
    assert "20251103_profile_timezone: additive" in said
    assert "DEPLOYED v2 to local (sandbox)" in said
    here.is_consistent()
    history = here.history()
    assert [each.release.version for each in history.line] == ["v1", "v2"]
    assert [history.state(each.release.id) for each in history.line] == [State.STABLE, State.STABLE]

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

    said = here.deploy("v4", code=6)
    assert "Have it prove itself there" in said
    assert "/health: HTTP 500" in said
    assert here.version() == "v3"
    here.is_consistent()
    assert State.BAD in here.history().states.values()

    said = here.deploy("v5", code=6)
    assert "in the bake: " in said
    assert "requests go back to" in said
    assert here.version() == "v3"
    here.is_consistent()


def test_every_step_that_changes_what_runs_can_be_taken_back() -> None:
    steps = {step.name: step for step in deploy.runbook().steps}

    assert {name for name, step in steps.items() if step.undo} == {"claim", "start", "switch"}
    assert list(steps).index("record") > list(steps).index("bake")
    assert list(steps).index("publish") < list(steps).index("migrate")
