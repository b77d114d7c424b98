from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runbooks.engine.errors import InputError
from runbooks.systems.releases.record import Kind, State
from runbooks.systems.store.folder import FolderStore
from tests.systems.releases.ledgers import Writer


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    return Writer(FolderStore(tmp_path))


def previous(writer: Writer) -> str | None:
    found = writer.releases.history().previous_stable()
    return found.id if found else None


def test_an_empty_ledger_knows_of_nothing(writer: Writer) -> None:
    history = writer.releases.history()

    assert (history.current, history.previous_stable(), list(history.candidates())) == (None, None, [])


def test_going_back_restores_what_was_snapshotted_ahead_of_the_first_release_after(writer: Writer) -> None:
    for id in ("v1", "v2", "v3"):
        writer.deployed(id)

    history = writer.releases.history()

    assert history.snapshot_before_first_after("v1") == "before-v2"
    assert history.snapshot_before_first_after("v2") == "before-v3"
    assert history.snapshot_before_first_after("v3") is None


def test_what_was_deployed_after_a_rollback_follows_the_release_that_was_gone_back_to(writer: Writer) -> None:
    for id in ("v1", "v2", "v3"):
        writer.deployed(id)
    writer.rolled_back("v1")
    writer.deployed("v4")

    history = writer.releases.history()

    assert history.snapshot_before_first_after("v1") == "before-v4"
    assert history.snapshot_before_first_after("v2") == "before-v3"
    assert [each.release.id for each in history.line] == ["v1", "v4"]


def test_a_deploy_that_was_taken_back_does_not_count_as_having_followed(writer: Writer) -> None:
    writer.deployed("v1")
    v2 = writer.deployed("v2")
    writer.write(Kind.WITHDRAWN, "v2", run=v2.run, state=State.BAD)
    between = writer.releases.history()
    writer.deployed("v3")

    assert [each.release.id for each in between.line] == ["v1"]
    assert between.snapshot_before_first_after("v1") is None
    assert writer.releases.history().snapshot_before_first_after("v1") == "before-v3"
    assert writer.releases.history().state("v2") is State.BAD


def test_other_variables_are_those_of_what_runs_until_that_is_taken_back(writer: Writer) -> None:
    writer.deployed("v1")
    v2 = writer.deployed("v2").release
    assert v2
    renewed = writer.write(Kind.RENEWED, "v2", release=replace(v2, variables="others"))
    during = writer.releases.history()
    writer.write(Kind.WITHDRAWN, "v2", run=renewed.run)

    assert during.current == replace(v2, variables="others")
    assert [each.release.id for each in during.line] == ["v1", "v2"]
    assert (during.heads, during.begun) == (("head-v2",), [])
    after = writer.releases.history()
    assert (after.current, after.heads) == (v2, ("head-v2",))
    assert [each.id for each in after.candidates()] == ["v1"]


def test_undoing_a_rollback_leaves_the_ledger_as_if_it_had_not_been(writer: Writer) -> None:
    for id in ("v1", "v2"):
        writer.deployed(id)
    before = writer.releases.history()
    back = writer.rolled_back("v1")
    assert writer.releases.history().current == back.release

    writer.write(Kind.UNDONE, "v2", undoes=back.run)
    after = writer.releases.history()

    assert list(after.line) == list(before.line)
    assert after.snapshot_before_first_after("v1") == "before-v2"


def test_the_previous_stable_release_is_neither_bad_nor_a_candidate_nor_off_the_line(writer: Writer) -> None:
    writer.deployed("v1")
    writer.deployed("v2")
    writer.deployed("v3", state=State.CANDIDATE)
    writer.deployed("v4")
    assert previous(writer) == "v2"

    writer.write(Kind.MARKED_BAD, "v2", state=State.BAD, reason="it lost mail")
    assert previous(writer) == "v1"

    writer.write(Kind.PROMOTED, "v3", state=State.STABLE)
    assert previous(writer) == "v3"

    writer.rolled_back("v3")
    assert previous(writer) == "v1"


def test_a_run_that_has_not_said_how_it_ended_is_known(writer: Writer) -> None:
    writer.write(Kind.BEGAN, "v1", run="a")
    writer.write(Kind.BEGAN, "v2", run="b")
    writer.write(Kind.WITHDRAWN, "v2", run="b")

    assert [each.run for each in writer.releases.history().begun] == ["a"]


@pytest.mark.parametrize("wanted", ["20260101-aaaa", "aaaa", "20260101"])
def test_a_release_is_found_by_what_only_it_answers_to(writer: Writer, wanted: str) -> None:
    writer.deployed("20260101-aaaa")
    writer.deployed("20260202-bbbb")

    assert writer.releases.history().find(wanted).id == "20260101-aaaa"


@pytest.mark.parametrize(("wanted", "said"), [("2026", "several releases answer"), ("x", "no release answers")])
def test_a_name_that_is_none_or_several_is_refused(writer: Writer, wanted: str, said: str) -> None:
    writer.deployed("20260101-aaaa")
    writer.deployed("20260202-bbbb")

    with pytest.raises(InputError, match=said):
        writer.releases.history().find(wanted)


def test_no_snapshot_is_named_for_a_release_that_never_ran(writer: Writer) -> None:
    with pytest.raises(InputError, match="never ran"):
        writer.releases.history().snapshot_before_first_after("v9")
