"""Which release a rollback goes back to, and which of the two ways is open."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from runbooks.engine.errors import InputError
from runbooks.steps.way_back import WayBack, choose, with_data
from runbooks.systems.releases.history import History
from runbooks.systems.releases.record import Entry, Kind, Release, State

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)
V1 = Release(id="v1-a", version="v1", commit="1" * 40, heads=("h1",))
V2 = Release(
    id="v2-a", version="v2", commit="2" * 40, heads=("h2",), snapshot_before="s2", migrations={"h2": "additive"}
)
V3 = Release(id="v3-a", version="v3", commit="3" * 40, heads=("h2",), snapshot_before="s3")


def history(*releases: Release, states: tuple[State | None, ...] = ()) -> History:
    """These, deployed one after another, each stable unless said otherwise."""
    entries = [
        Entry(
            number=number,
            kind=Kind.DEPLOYED,
            at=BEGAN + timedelta(days=number),
            by="x",
            run=f"run-{number}",
            token=number,
            id=release.id,
            release=release,
            state=states[number - 1] if states else State.STABLE,
        )
        for number, release in enumerate(releases, start=1)
    ]
    return History.of(entries)


def test_the_default_is_the_newest_stable_one_before_what_runs() -> None:
    known = history(V1, V2, V3, states=(State.STABLE, State.BAD, State.STABLE))

    way = choose(known, None, ("h2",))

    assert (way.release, way.leaves) == (V1, V3)


def test_the_snapshot_is_the_one_from_before_the_first_release_after_it() -> None:
    known = history(V1, V2, V3)

    assert choose(known, "v1", ("h2",)).snapshot == "s2"
    assert choose(known, "v2", ("h2",)).snapshot == "s3"


@pytest.mark.parametrize(
    ("wanted", "states", "said"),
    [
        (None, (State.CANDIDATE,) * 3, "no release before the one that runs is stable"),
        ("v3", (), "this release runs already"),
        ("v1", (State.BAD, State.STABLE, State.STABLE), "this release is held for bad"),
        ("v9", (), "no release answers"),
    ],
)
def test_a_release_that_is_no_way_back_is_refused(wanted: str | None, states: tuple[State, ...], said: str) -> None:
    with pytest.raises(InputError, match=said):
        choose(history(V1, V2, V3, states=states), wanted, ("h2",))


def test_nothing_deployed_is_no_way_back() -> None:
    with pytest.raises(InputError, match="nothing was deployed yet"):
        choose(history(), None, ())


def test_code_alone_runs_over_a_schema_that_only_grew() -> None:
    assert choose(history(V1, V2), "v1", ("h2",)).against_code_only == ""


def test_code_alone_is_impossible_where_the_old_release_migrates_as_it_starts() -> None:
    known = history(replace(V1, migrates_at_start=True), V2)

    way = choose(known, "v1", ("h2",))

    assert "Alembic exits 255" in way.against_code_only
    with pytest.raises(InputError, match="can't run over today's data") as refused:
        with_data(way, restore=False, keep=True, ask=None)
    assert "its start command migrates" in str(refused.value)


@pytest.mark.parametrize(
    ("newer", "heads", "said"),
    [
        (replace(V2, migrations={"h2": "contracting"}), ("h2",), "h2 is contracting"),
        (V2, ("by-hand",), "nobody knows what by-hand changed"),
    ],
)
def test_code_alone_is_impossible_where_something_may_be_gone(newer: Release, heads: tuple[str], said: str) -> None:
    assert said in choose(history(V1, newer), "v1", heads).against_code_only


WAY = WayBack(release=V2, leaves=V3, snapshot="s3", migrated=False, against_code_only="")


def test_without_a_migration_in_between_the_operator_chooses() -> None:
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return "keep"

    assert with_data(WAY, restore=True, keep=False, ask=None)
    assert not with_data(WAY, restore=False, keep=True, ask=None)
    assert not with_data(WAY, restore=False, keep=False, ask=answer)
    assert "snapshot s3" in asked[0]
    with pytest.raises(InputError, match="neither way was chosen"):
        with_data(WAY, restore=False, keep=False, ask=lambda _question: "")
    with pytest.raises(InputError, match="no terminal to ask on") as refused:
        with_data(WAY, restore=False, keep=False, ask=None)
    assert "--restore-data or --keep-data" in str(refused.value)


def test_with_a_migration_in_between_restoring_is_the_default() -> None:
    assert with_data(replace(WAY, migrated=True), restore=False, keep=False, ask=None)


def test_what_excludes_each_other_or_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match="exclude each other"):
        with_data(WAY, restore=True, keep=True, ask=None)
    with pytest.raises(InputError, match="the store has no snapshot"):
        with_data(replace(WAY, snapshot=None), restore=True, keep=False, ask=None)
