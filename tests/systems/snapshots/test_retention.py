"""What is kept of a row of snapshots: by the words and the rules of restic and borg."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from runbooks.systems.snapshots.retention import Keep, Taken, kept

NOON = datetime(2026, 6, 17, 12, tzinfo=UTC)  # a Wednesday
rows = st.lists(st.integers(0, 24 * 800), unique=True, max_size=40).map(
    lambda hours: [Taken(f"s{hour:05d}", NOON - timedelta(hours=hour)) for hour in hours]
)
keeps = st.builds(
    Keep, last=st.integers(0, 4), daily=st.integers(0, 9), weekly=st.integers(0, 5), monthly=st.integers(0, 5)
)


def daily(count: int, each: int = 1) -> list[Taken]:
    return [Taken(f"{24 * day // each:04d}", NOON - timedelta(hours=24 * day // each)) for day in range(count * each)]


def test_the_last_ones_are_the_newest() -> None:
    assert set(kept(daily(9), Keep(last=2))) == {"0000", "0024"}


def test_of_each_day_the_newest_is_kept() -> None:
    known = kept(daily(5, each=4), Keep(daily=3))

    assert set(known) == {"0000", "0018", "0042"}
    assert known["0018"] == ["daily 2026-06-16"]


def test_a_day_without_a_snapshot_is_not_counted() -> None:
    known = [taken for taken in daily(9) if taken.id not in ("0024", "0048")]

    assert set(kept(known, Keep(daily=2))) == {"0000", "0072"}


def test_weeks_are_those_of_the_calendar_also_across_a_new_year() -> None:
    new_year = [Taken(day, datetime.fromisoformat(f"{day}T12:00:00+00:00")) for day in ("2025-12-29", "2026-01-01")]

    assert kept(new_year, Keep(weekly=1)) == {"2026-01-01": ["weekly 2026-W01"]}


def test_days_end_by_utc() -> None:
    known = [Taken("a", datetime.fromisoformat(at)) for at in ("2026-06-17T23:00:00+00:00",)]
    known.append(Taken("b", datetime.fromisoformat("2026-06-18T01:00:00+05:00")))

    assert kept(known, Keep(daily=2)) == {"a": ["daily 2026-06-17"], "b": ["daily 2026-06-17"]}, "b is only the oldest"


def test_the_oldest_is_kept_until_there_are_enough_periods() -> None:
    known = kept(daily(10), Keep(daily=2, monthly=3))

    assert known["0216"] == ["monthly 2026-06"], "no other month has one yet"


@given(rows, keeps)
def test_what_is_kept_is_kept_again_once_the_rest_is_gone(known: list[Taken], keep: Keep) -> None:
    first = set(kept(known, keep))

    assert set(kept([taken for taken in known if taken.id in first], keep)) == first


@given(rows, keeps)
def test_no_more_is_kept_than_is_asked_for_and_never_nothing(known: list[Taken], keep: Keep) -> None:
    counts = keep.last, keep.daily, keep.weekly, keep.monthly
    newest = max(known, key=lambda taken: taken.at, default=None)
    found = kept(known, keep)

    assert len(found) <= sum(counts)
    assert not (newest and any(counts)) or newest.id in found
