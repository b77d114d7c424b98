"""A rollback is killed at every step of it, again and again, and ends where `release.list` says that it ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from cryptography.fernet import Fernet

from runbooks import project, rollback
from runbooks.engine import audit
from runbooks.sandbox.layout import Layout
from runbooks.systems.postgres.records import Fingerprint
from runbooks.systems.releases.record import Kind
from tests.crash.points import around_undoing, in_doubt, points
from tests.crash.sandboxes import killed_at, succeeds
from tests.deploys import Deploys, deploys_in
from tests.sandbox.servers import open_folder
from tests.test_rollback import last_rollback, serves, state, write

pytestmark = [pytest.mark.crash, pytest.mark.timeout(900)]
BOOK, UNDO = rollback.with_data_runbook(), rollback.undo_runbook()
POINTS, UNDOING = (
    [point for point in in_doubt(points(book)) if point != "after:intent/build"] for book in (BOOK, UNDO)
)
"""The release is still on the host, so nothing is built."""
ROTATE = ("secrets.rotate", "ENCRYPTION_KEY")
TAKEN_BACK_AFTER = "before:outcome/switch-traffic"


@pytest.fixture(scope="module")
def deployed(installed: Layout) -> Iterator[Deploys]:
    """v1 and v2 were deployed; the snapshots of both are from before a rotation of ENCRYPTION_KEY."""
    with open_folder() as folder, deploys_in(folder, installed, "v1", "v2") as made:
        succeeds(made.shell, *ROTATE)
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
    assert users_keys(deploys)
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


def test_an_undo_across_a_rotation_killed_at_every_step_is_resumed_to_its_end(deploys: Deploys) -> None:
    keys, before = users_keys(deploys), plain(deploys)
    succeeds(deploys.shell, "rollback", "--restore-data")
    run, _ = last_rollback(deploys)
    succeeds(deploys.shell, *ROTATE)
    first, *rest = UNDOING
    killed_at(deploys.shell, first, "rollback", "--undo", run)
    undo, _ = last_rollback(deploys)
    for point in rest:
        killed_at(deploys.shell, point, "runs.resume", undo)

    said = succeeds(deploys.shell, "runs.resume", undo)

    assert "UNDONE" in said
    assert (users_keys(deploys), plain(deploys)) == (keys, before)
    is_consistent(deploys, "v2")


def test_an_undo_across_a_rotation_taken_back_leaves_what_was_put_aside_as_it_was(deploys: Deploys) -> None:
    keys, before = users_keys(deploys), plain(deploys)
    succeeds(deploys.shell, "rollback", "--restore-data")
    run, _ = last_rollback(deploys)
    succeeds(deploys.shell, *ROTATE)
    killed_at(deploys.shell, "before:outcome/place", "rollback", "--undo", run)
    undo, _ = last_rollback(deploys)
    for point in ("after:undo-intent/rekey", "before:undo-outcome/rekey"):
        killed_at(deploys.shell, point, "runs.abort", undo)
    succeeds(deploys.shell, "runs.abort", undo, code=6)
    is_consistent(deploys, "v1")

    said = succeeds(deploys.shell, "rollback", "--undo", run)

    assert "is as it was put aside" in said, "its digest is the one that it had"
    assert (users_keys(deploys), plain(deploys)) == (keys, before)
    is_consistent(deploys, "v2")


def users_keys(deploys: Deploys) -> dict[int, bytes]:
    """What the application reads, with the key that it has. Raises InvalidToken where it could not."""
    site = deploys.site()
    key = Fernet(site.variables["ENCRYPTION_KEY"].reveal())
    rows = site.database.rows("SELECT id, encrypted_api_key AS token FROM user_api_config ORDER BY id")
    return {int(row["id"]): key.decrypt(str(row["token"])) for row in rows}


def plain(deploys: Deploys) -> Mapping[str, Fingerprint]:
    """The tables but for the one with the encrypted column."""
    return {name: each for name, each in state(deploys).items() if "user_api_config" not in name}
