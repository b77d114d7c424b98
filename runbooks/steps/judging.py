"""Whether a new release does as well as the one before, by numbers: it does, it does not, or it can't be told yet."""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass

from runbooks.engine.percentile import percentile

Z = 1.96
"""Standard deviations on either side that hold 95 % of a normal distribution."""

SHARE = 95.0
"""The percentile of the latencies that is compared."""


class Judgement(enum.StrEnum):
    """What the numbers say. Inconclusive is never passed: a person decides."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Sampled:
    """What probes came to.

    Attributes:
        seconds: How long each answer took, failed ones left out.
        failures: How many probes had no good answer.
    """

    seconds: Sequence[float]
    failures: int = 0

    @property
    def count(self) -> int:
        return len(self.seconds) + self.failures


@dataclass(frozen=True)
class Bounds:
    """What is allowed.

    Attributes:
        probes: So many at least, or nothing can be said.
        max_error_percent: The most probes without a good answer.
        latency_ratio: How many times the baseline's 95th percentile the new one's may be.
        latency_floor_ms: Below this a latency is fine whatever it was before, in milliseconds.
    """

    probes: int
    max_error_percent: float
    latency_ratio: float
    latency_floor_ms: float


@dataclass(frozen=True)
class Verdict:
    """A judgement, and the sentence that it rests on."""

    judgement: Judgement
    why: str


def judge(baseline: Sampled, found: Sampled, bounds: Bounds) -> Verdict:
    """Compare a release with the one before it: its errors, then its latency. The worse of both counts."""
    if found.count < bounds.probes:
        return Verdict(Judgement.INCONCLUSIVE, f"{found.count} probes of {bounds.probes}")
    verdicts = [_errors(baseline, found, bounds), _latency(baseline, found, bounds)]
    for judgement in (Judgement.FAILED, Judgement.INCONCLUSIVE, Judgement.PASSED):
        why = [each.why for each in verdicts if each.judgement is judgement]
        if why:
            return Verdict(judgement, "; ".join(why))
    raise AssertionError("one of three")


def _errors(baseline: Sampled, found: Sampled, bounds: Bounds) -> Verdict:
    """By Wilson's interval of the share of failures; what the release before could not do either is no fault."""
    low, high = wilson(found.failures, found.count)
    before = wilson(baseline.failures, baseline.count)[1] if baseline.failures else 0.0
    allowed = max(bounds.max_error_percent / 100, before)
    told = f"{found.failures} of {found.count} failed ({low:.1%} to {high:.1%}; {allowed:.1%} allowed)"
    if low > allowed:
        return Verdict(Judgement.FAILED, told)
    good = found.failures == 0 or high <= allowed
    return Verdict(Judgement.PASSED if good else Judgement.INCONCLUSIVE, told)


def _latency(baseline: Sampled, found: Sampled, bounds: Bounds) -> Verdict:
    """By the interval in which the true percentile lies, from the ranks of what was seen."""
    if not found.seconds:
        return Verdict(Judgement.FAILED, "no answer at all")
    low, at = rank_interval(found.seconds, SHARE)[0], percentile(found.seconds, SHARE)
    floor = bounds.latency_floor_ms / 1000
    if not baseline.seconds:
        return Verdict(
            Judgement.PASSED if at <= floor else Judgement.INCONCLUSIVE,
            f"p95 {at * 1000:.0f} ms, and no baseline to compare it with",
        )
    before = percentile(baseline.seconds, SHARE)
    allowed = max(floor, before * bounds.latency_ratio)
    told = f"p95 {at * 1000:.0f} ms, {before * 1000:.0f} ms before; {allowed * 1000:.0f} ms allowed"
    if low > allowed:
        return Verdict(Judgement.FAILED, told)
    return Verdict(Judgement.PASSED if at <= allowed else Judgement.INCONCLUSIVE, told)


def wilson(failures: int, count: int) -> tuple[float, float]:
    """Between what the true share lies, with 95 % confidence. Wilson, J. Am. Stat. Assoc. 22 (1927) 209."""
    if count == 0:
        return 0.0, 1.0
    share, square = failures / count, Z * Z / count
    middle = (share + square / 2) / (1 + square)
    half = Z * math.sqrt(share * (1 - share) / count + square / (4 * count)) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)


def rank_interval(values: Sequence[float], share: float) -> tuple[float, float]:
    """Between which values the true percentile lies, with 95 % confidence, whatever the distribution.

    The number of values below it is binomial, here by its normal approximation.
    """
    ordered, part = sorted(values), share / 100
    half = Z * math.sqrt(len(ordered) * part * (1 - part))
    low = math.floor(len(ordered) * part - half) - 1
    high = math.ceil(len(ordered) * part + half) - 1
    return ordered[max(low, 0)], ordered[min(high, len(ordered) - 1)]
