"""A deploy is killed ahead of and after every record: resumed, or taken back, the application answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runbooks import deploy
from runbooks.sandbox.layout import Layout
from tests.crash.points import cases, in_doubt, points
from tests.crash.sandboxes import all_is_recorded, killed_at, succeeds
from tests.deployed import Place, place

DEPLOY = points(deploy.runbook())


@pytest.fixture(scope="module")
def here(installed: Layout) -> Iterator[Place]:
    with place(installed) as made:
        yield made


@pytest.mark.parametrize("point", cases(DEPLOY))
def test_a_killed_deploy_is_resumed_to_its_end(point: str, here: Place) -> None:
    if point.endswith("/migrate"):
        here.back_to_first()
    before = here.history().current
    killed_at(here.shell, point, "release.deploy", "--ref", "v2")

    succeeds(here.shell, "runs.resume", here.last_run())

    assert here.history().current != before
    here.is_consistent()
    all_is_recorded(here.shell)


@pytest.mark.parametrize("point", cases(in_doubt(DEPLOY)))
def test_a_killed_deploy_is_taken_back(point: str, here: Place) -> None:
    if point.endswith("/migrate"):
        here.back_to_first()
    before = here.history().current
    killed_at(here.shell, point, "release.deploy", "--ref", "v2")

    succeeds(here.shell, "runs.abort", here.last_run(), code=6)

    assert here.history().current == before or before is None
    here.is_consistent()
    all_is_recorded(here.shell)
