"""A deploy is killed ahead of and after its records: resumed, or taken back, the application answers.

Nothing happens between a step's outcome and the next one's intent, so one of the two points stands for both. Where a
step is over and only the journal does not know it, every step is resumed and, separately, taken back; so is every point
of the two that a kill could hurt most. At the others the two ways take turns: a case costs some seconds.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runbooks import deploy
from runbooks.sandbox.layout import Layout
from tests.crash.points import around_steps, cases
from tests.crash.sandboxes import all_is_recorded, killed_at, succeeds
from tests.deployed import Place, place

AROUND = [point for point in around_steps(deploy.runbook()) if not point.startswith("before:intent")]
SWITCHED = ["before:switched", "after:switched"]
"""With those around it, five points inside the switch."""

OVER = [point for point in AROUND if point.startswith("before:outcome")]
BEGUN = [point for point in AROUND if point.startswith("after:intent")]
TOLD = [point for point in AROUND if point.startswith("after:outcome")]
BOTH = {*OVER, *SWITCHED, *(point for point in AROUND if point.endswith(("/migrate", "/switch")))}

RESUMED = [point for point in (*AROUND, *SWITCHED) if point in {*BOTH, *BEGUN[::2], *TOLD[1::2]}]
TAKEN_BACK = [point for point in (*AROUND, *SWITCHED) if point in {*BOTH, *BEGUN[1::2], *TOLD[::2]}]


@pytest.fixture(scope="module")
def here(installed: Layout) -> Iterator[Place]:
    with place(installed) as made:
        made.deploy("v2")  # the ledger has begun, whichever case comes first
        yield made


@pytest.mark.parametrize("point", cases(["after:lease", *RESUMED, "before:end"]))
def test_a_killed_deploy_is_resumed_to_its_end(point: str, here: Place) -> None:
    if point.endswith("/migrate"):
        here.back_to_first()
    before = here.history().current
    killed_at(here.shell, point, "release.deploy", "--ref", "v2")

    succeeds(here.shell, "runs.resume", here.last_run())

    assert here.history().current != before
    here.is_consistent()
    all_is_recorded(here.shell)


@pytest.mark.parametrize("point", cases(TAKEN_BACK))
def test_a_killed_deploy_is_taken_back(point: str, here: Place) -> None:
    if point.endswith("/migrate"):
        here.back_to_first()
    before = here.history().current
    killed_at(here.shell, point, "release.deploy", "--ref", "v2")

    succeeds(here.shell, "runs.abort", here.last_run(), code=6)

    assert here.history().current == before or before is None
    here.is_consistent()
    all_is_recorded(here.shell)


def test_every_step_and_every_point_is_walked() -> None:
    assert {*RESUMED, *TAKEN_BACK} == {*AROUND, *SWITCHED}
    assert {*OVER} <= {*RESUMED} & {*TAKEN_BACK}
