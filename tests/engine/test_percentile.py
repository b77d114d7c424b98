"""Percentiles by nearest rank."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbooks.engine.percentile import percentile


@pytest.mark.parametrize(("share", "value"), [(1, 1), (50, 50), (95, 95), (99, 99), (99.9, 100), (100, 100)])
def test_of_a_hundred_values(share: float, value: float) -> None:
    assert percentile(list(range(100, 0, -1)), share) == value


def test_of_one_value_every_percentile_is_that_value() -> None:
    assert {percentile([7.5], share) for share in (1, 50, 99)} == {7.5}


@given(st.lists(st.floats(allow_nan=False), min_size=1), st.floats(0.1, 100))
def test_it_is_a_value_that_was_seen_and_enough_do_not_exceed_it(values: list[float], share: float) -> None:
    found = percentile(values, share)

    assert found in values
    assert sum(value <= found for value in values) >= len(values) * share / 100 - 1e-6
