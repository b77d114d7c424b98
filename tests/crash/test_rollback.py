"""A rollback is killed at every step of it, again and again, and ends where `release.list` says that it ended."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runbooks import project, rollback
from runbooks.engine import audit
from runbooks.engine.step import Runbook
from runbooks.sandbox.layout import Layout
from runbooks.steps.going_back import GoingBack
from runbooks.systems.releases.record import Kind
from tests.crash.points import around_undoing, in_doubt, points
from tests.crash.sandboxes import killed_at, succeeds
from tests.deploys import Deploys, deploys_in
from tests.sandbox.servers import open_folder
from tests.test_rollback import last_rollback, serves, state, write

pytestmark = [pytest.mark.crash, pytest.mark.timeout(900)]
WITH_DATA, CODE_ONLY, UNDO = rollback.with_data_runbook(), rollback.code_only_runbook(), rollback.undo_runbook()
TAKEN_BACK_AFTER = "before:outcome/switch-traffic"
FOUND_DONE = ("after:intent/build", "after:intent/rekey")
"""The release is still on the host, and the key has not changed: neither step has anything to do."""


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


def around(deploys: Deploys) -> tuple[str, str]:
    """The version that runs, and the one that a rollback goes back to."""
    history = deploys.releases().history()
    before = history.previous_stable()
    assert history.current
    assert before
    return history.current.version, before.version


def killed_throughout(deploys: Deploys, book: Runbook[GoingBack], *words: str) -> str:
    """The rollback is killed at every point of it, one after another, and resumed to its end; its run."""
    first, *rest = [point for point in in_doubt(points(book)) if point not in FOUND_DONE]
    killed_at(deploys.shell, first, *words)
    run = last_rollback(deploys)
    for point in rest:
        killed_at(deploys.shell, point, "runs.resume", run)
    said = succeeds(deploys.shell, "runs.resume", run)
    assert ("UNDONE" if "--undo" in words else "ROLLED BACK") in said
    return run


def taken_back_throughout(deploys: Deploys, book: Runbook[GoingBack], *words: str) -> None:
    """The rollback is killed once requests go to its release, and so is taking it back at every point of that."""
    killed_at(deploys.shell, TAKEN_BACK_AFTER, *words)
    run = last_rollback(deploys)
    for point in in_doubt_undoing(book):
        killed_at(deploys.shell, point, "runs.abort", run)
    succeeds(deploys.shell, "runs.abort", run, code=6)


def test_killed_at_every_step_it_is_resumed_to_its_end_and_undone(deploys: Deploys) -> None:
    newer, older = around(deploys)
    write(deploys)
    before = state(deploys)

    run = killed_throughout(deploys, WITH_DATA, "rollback", "--restore-data")

    is_consistent(deploys, older)
    assert [each.kind for each in deploys.releases().entries() if each.run == run] == [Kind.BEGAN, Kind.ROLLED_BACK]
    undone = succeeds(deploys.shell, "rollback", "--undo", run)
    assert "UNDONE" in undone
    assert state(deploys) == before
    is_consistent(deploys, newer)


def test_its_undoing_is_killed_at_every_step_of_it_and_of_taking_that_back(deploys: Deploys) -> None:
    (newer, older), before = around(deploys), state(deploys)
    succeeds(deploys.shell, "rollback", "--restore-data")
    run, restored = last_rollback(deploys), state(deploys)

    taken_back_throughout(deploys, UNDO, "rollback", "--undo", run)

    assert state(deploys) == restored
    is_consistent(deploys, older)

    undoing = killed_throughout(deploys, UNDO, "rollback", "--undo", run)

    assert state(deploys) == before
    is_consistent(deploys, newer)
    assert [each.kind for each in deploys.releases().entries() if each.run == undoing] == [Kind.BEGAN, Kind.UNDONE]


def test_taken_back_and_killed_at_every_step_of_that_everything_is_as_before(deploys: Deploys) -> None:
    (newer, _), before = around(deploys), state(deploys)

    taken_back_throughout(deploys, WITH_DATA, "rollback", "--restore-data")

    assert state(deploys) == before
    is_consistent(deploys, newer)


def test_code_only_it_is_killed_at_every_step_and_no_row_changes(deploys: Deploys) -> None:
    for version in ("v6", "v7"):
        deploys.deploy(version)
    before = state(deploys)

    taken_back_throughout(deploys, CODE_ONLY, "rollback", "--keep-data")
    is_consistent(deploys, "v7")

    run = killed_throughout(deploys, CODE_ONLY, "rollback", "--keep-data")

    is_consistent(deploys, "v6")
    succeeds(deploys.shell, "rollback", "--undo", run)
    is_consistent(deploys, "v7")
    assert state(deploys) == before


def in_doubt_undoing(book: Runbook[GoingBack]) -> list[str]:
    """Of the steps that were done by then, last first, as they are undone."""
    known = [point for point in around_undoing(book) if point.startswith(("after:undo-intent", "before:undo-outcome"))]
    names = list(dict.fromkeys(point.partition("/")[2] for point in known))
    return [point for name in reversed(names) for point in known if point.endswith(f"/{name}")]
