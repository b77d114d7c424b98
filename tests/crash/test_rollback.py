"""A rollback is killed at every step of it, again and again, and ends where `release.list` says that it ended."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runbooks import project, rollback
from runbooks.engine import audit
from runbooks.sandbox.layout import Layout
from runbooks.systems.releases.record import Kind
from tests.crash.points import around_undoing, in_doubt, points
from tests.crash.sandboxes import killed_at, succeeds
from tests.deploys import Deploys, deploys_in
from tests.sandbox.servers import open_folder
from tests.test_rollback import last_rollback, serves, state, write

pytestmark = [pytest.mark.crash, pytest.mark.timeout(900)]
BOOK = rollback.with_data_runbook()
POINTS = [point for point in in_doubt(points(BOOK)) if point != "after:intent/build"]
"""The release is still on the host, so nothing is built."""
TAKEN_BACK_AFTER = "before:outcome/switch-traffic"


@pytest.fixture(scope="module")
def deployed(installed: Layout) -> Iterator[Deploys]:
    """v1 and v2 were deployed."""
    with open_folder() as folder, deploys_in(folder, installed, "v1", "v2") as made:
        yield made


@pytest.fixture
def deploys(deployed: Deploys, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deploys]:
    monkeypatch.setenv(project.VARIABLE, str(deployed.shell.project))
    yield deployed
    deployed.close()


def is_consistent(deploys: Deploys, version: str) -> None:
    """The ledger says what runs, nothing is half done, and every journal is whole."""
    history = deploys.releases().history()
    assert history.current
    assert history.current.version == version
    assert history.begun == []
    assert serves(deploys, version)
    count, damage = audit.audit(deploys.shell.project / "var" / "runs" / "local", deploys.releases().store)
    assert count > 0
    assert damage == []


def test_killed_at_every_step_it_is_resumed_to_its_end_and_undone(deploys: Deploys) -> None:
    write(deploys)
    before = state(deploys)
    first, *rest = POINTS
    killed_at(deploys.shell, first, "rollback", "--restore-data")
    run, _ = last_rollback(deploys)
    for point in rest:
        killed_at(deploys.shell, point, "runs.resume", run)

    said = succeeds(deploys.shell, "runs.resume", run)

    assert "ROLLED BACK" in said
    is_consistent(deploys, "v1")
    assert [each.kind for each in deploys.releases().entries() if each.run == run] == [Kind.BEGAN, Kind.ROLLED_BACK]
    undone = succeeds(deploys.shell, "rollback", "--undo", run)
    assert "UNDONE" in undone
    assert state(deploys) == before
    is_consistent(deploys, "v2")


def test_taken_back_and_killed_at_every_step_of_that_everything_is_as_before(deploys: Deploys) -> None:
    before = state(deploys)
    killed_at(deploys.shell, TAKEN_BACK_AFTER, "rollback", "--restore-data")
    run, _ = last_rollback(deploys)
    for point in in_doubt_undoing():
        killed_at(deploys.shell, point, "runs.abort", run)

    succeeds(deploys.shell, "runs.abort", run, code=6)

    assert state(deploys) == before
    is_consistent(deploys, "v2")


def in_doubt_undoing() -> list[str]:
    """Of the steps that were done by then, last first, as they are undone."""
    known = [point for point in around_undoing(BOOK) if point.startswith(("after:undo-intent", "before:undo-outcome"))]
    names = list(dict.fromkeys(point.partition("/")[2] for point in known))
    return [point for name in reversed(names) for point in known if point.endswith(f"/{name}")]
