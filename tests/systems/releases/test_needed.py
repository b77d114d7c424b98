"""Which snapshots a rollback could still restore, and which only a release needs that nobody goes back to."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbooks.engine.errors import InputError
from runbooks.systems.releases.needed import snapshots_named, snapshots_needed
from runbooks.systems.releases.record import Kind, Release, State
from runbooks.systems.store.folder import FolderStore
from tests.systems.releases.ledgers import Writer


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    return Writer(FolderStore(tmp_path))


def needed(writer: Writer, keep: int = 3) -> dict[str, str]:
    return dict(snapshots_needed(writer.releases, keep=keep))


def test_nothing_was_deployed_so_nothing_is_needed(writer: Writer) -> None:
    assert needed(writer) == {}


def test_the_way_to_each_of_the_newest_releases_is_kept_and_to_no_older_one(writer: Writer) -> None:
    for number in range(1, 7):
        writer.deployed(f"v{number}")

    assert needed(writer, keep=2) == {
        "before-v6": "a rollback to v5 would restore it",
        "before-v5": "a rollback to v4 would restore it",
    }
    assert set(snapshots_named(writer.releases)) == {f"before-v{number}" for number in range(1, 7)}


def test_the_newest_stable_release_is_gone_back_to_however_old_it_is(writer: Writer) -> None:
    writer.deployed("v1")
    for number in range(2, 6):
        writer.deployed(f"v{number}", state=State.CANDIDATE)

    assert needed(writer, keep=1) == {
        "before-v5": "a rollback to v4 would restore it",
        "before-v2": "a rollback to v1 would restore it",
    }


def test_nobody_goes_back_to_a_bad_release(writer: Writer) -> None:
    writer.deployed("v1")
    writer.deployed("v2", state=State.BAD)
    writer.deployed("v3")

    assert needed(writer) == {"before-v2": "a rollback to v1 would restore it"}


def test_the_present_ahead_of_a_rollback_stays_as_long_as_that_can_be_taken_back(writer: Writer) -> None:
    writer.deployed("v1")
    writer.deployed("v2", state=State.BAD)
    rolled_back = writer.rolled_back("v1")
    assert rolled_back.release
    present = str(rolled_back.release.snapshot_before)

    assert f"{rolled_back.run}, which can be taken back" in needed(writer)[present]

    writer.deployed("v3")
    assert needed(writer) == {"before-v3": "a rollback to v1 would restore it"}


def test_what_was_taken_ahead_of_a_deploy_that_was_taken_back_stays_until_the_next(writer: Writer) -> None:
    writer.deployed("v1")
    tried = Release(id="v2", version="v2", commit="v2" * 20, snapshot_before="before-v2")
    withdrawn = writer.write(Kind.WITHDRAWN, "v2", release=tried)

    assert needed(writer) == {"before-v2": f"run {withdrawn.run} took it ahead of v2, and was taken back"}

    writer.deployed("v3")
    assert needed(writer) == {"before-v3": "a rollback to v1 would restore it"}


def test_what_is_no_entry_of_ours_keeps_whatever_it_names(writer: Writer) -> None:
    writer.store.put("releases/0007.json", b'{"of": [{"snapshot_before": "another"}]}', replaces=None)

    assert needed(writer) == {"another": "a rollback would restore it (releases/0007.json)"}

    writer.store.put("releases/0008.json", b"{", replaces=None)
    with pytest.raises(InputError, match="nobody knows which snapshot"):
        needed(writer)
