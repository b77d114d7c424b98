"""Percentiles of what was measured, by nearest rank: each is a value that was really seen."""

from __future__ import annotations

import math
from collections.abc import Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so many percent of all do not exceed.

    Args:
        values: At least one, in any order.
        share: In percent, above 0 and at most 100.
    """
    ordered = sorted(values)
    # The tiny part keeps 99 % of 100 at the 99th: 0.99 * 100 is a little more than 99 in floating point.
    rank = math.ceil(len(ordered) * share / 100 - 1e-9)
    return ordered[max(rank, 1) - 1]
