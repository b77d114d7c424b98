"""No copy goes that has the key of something that is kept, whatever the clocks say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from runbooks.systems.variables.retention import SLACK, Made, needed

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def day(number: float) -> datetime:
    return BEGAN + timedelta(days=number)


def test_one_copy_of_the_key_that_a_snapshot_needs_is_kept_and_the_one_that_a_drill_opens() -> None:
    copies = [Made(f"{number:02d}", day(number), "old" if number < 20 else "new") for number in range(40)]

    reasons = needed(copies, {"S": day(10.5)})

    assert reasons == {
        "10": ["the variables of S"],
        "19": ["the key of S", "the key of now or the one before"],
        "39": ["the key of now or the one before"],
    }


def test_a_key_that_nothing_is_under_any_more_goes_but_for_the_last_two() -> None:
    copies = [Made(str(number), day(10 * number), f"key {number}") for number in range(5)]

    assert set(needed(copies, {})) == {"3", "4"}
    assert set(needed(copies, {"S": day(15)})) == {"1", "2", "3", "4"}, "between two copies it may be either key"


def test_a_copy_without_a_key_is_needed_for_none() -> None:
    copies = [Made("a", day(0), "old"), Made("b", day(1), None), Made("c", day(30), "new")]

    assert "b" not in needed(copies, {"S": day(0.5)})


@given(
    rotations=st.lists(st.floats(0, 100), max_size=4),
    copied=st.lists(st.floats(0, 100), min_size=1, max_size=12),
    taken=st.floats(0, 100),
    slow=st.floats(-1, 1),
)
def test_whatever_was_rotated_and_copied_when_the_key_of_a_snapshot_stays(
    rotations: list[float], copied: list[float], taken: float, slow: float
) -> None:
    """Each rotation makes a copy just before and just after; the snapshot's clock is wrong by up to a day."""

    def key_at(when: float) -> str:
        return f"key {sum(when > each for each in rotations)}"

    times = sorted({*copied, *(each - 1e-4 for each in rotations), *(each + 1e-4 for each in rotations)})
    copies = [Made(f"{number:03d}", day(when), key_at(when)) for number, when in enumerate(times)]

    kept = needed(copies, {"S": day(taken) + slow * SLACK})

    held = {copy.key for copy in copies}
    assert key_at(taken) not in held or key_at(taken) in {copy.key for copy in copies if copy.id in kept}
