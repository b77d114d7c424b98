from __future__ import annotations

import random
from dataclasses import replace

import pytest

from runbooks.steps.judging import Bounds, Judgement, Sampled, judge, rank_interval, wilson

BOUNDS = Bounds(probes=60, max_error_percent=1, latency_ratio=1.5, latency_floor_ms=50)


def steady(milliseconds: float, count: int = 100, failures: int = 0) -> Sampled:
    return Sampled([milliseconds / 1000] * count, failures)


def test_a_release_that_does_as_well_passes() -> None:
    verdict = judge(steady(100), steady(110), BOUNDS)

    assert verdict.judgement is Judgement.PASSED
    assert "0 of 100 failed (0.0% to 3.7%" in verdict.why
    assert "p95 110 ms, 100 ms before; 150 ms allowed" in verdict.why


def test_too_few_probes_are_never_a_pass() -> None:
    assert judge(steady(100), steady(10, count=59), BOUNDS).judgement is Judgement.INCONCLUSIVE
    assert judge(steady(100), Sampled([]), BOUNDS).judgement is Judgement.INCONCLUSIVE


def test_twice_as_slow_fails() -> None:
    verdict = judge(steady(100), steady(200), BOUNDS)

    assert verdict.judgement is Judgement.FAILED
    assert verdict.why == "p95 200 ms, 100 ms before; 150 ms allowed"


def test_slower_but_still_fast_passes() -> None:
    assert judge(steady(5), steady(40), BOUNDS).judgement is Judgement.PASSED


def test_errors_that_can_not_be_chance_fail() -> None:
    assert judge(steady(100), steady(100, failures=10), BOUNDS).judgement is Judgement.FAILED


def test_an_error_that_may_be_chance_is_left_to_a_person() -> None:
    assert judge(steady(100), steady(100, failures=1), BOUNDS).judgement is Judgement.INCONCLUSIVE


def test_errors_that_the_release_before_had_too_are_no_fault_of_this_one() -> None:
    assert judge(steady(100, failures=30), steady(100, failures=10), BOUNDS).judgement is Judgement.PASSED


def test_nothing_but_failures_fails_although_nothing_was_slow() -> None:
    assert judge(steady(100), Sampled([], 60), BOUNDS).judgement is Judgement.FAILED


def test_a_few_slow_answers_that_may_be_chance_are_left_to_a_person() -> None:
    found = Sampled([0.1] * 94 + [0.2] * 6)

    assert judge(steady(100), found, BOUNDS).judgement is Judgement.INCONCLUSIVE


@pytest.mark.parametrize("milliseconds", [10, 500])
def test_without_a_baseline_only_what_is_fast_anyway_passes(milliseconds: float) -> None:
    verdict = judge(Sampled([]), steady(milliseconds), BOUNDS)

    assert verdict.judgement is (Judgement.PASSED if milliseconds == 10 else Judgement.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("failures", "count", "low", "high"), [(0, 30, 0.0, 0.114), (0, 300, 0.0, 0.013), (3, 100, 0.010, 0.085)]
)
def test_wilsons_interval_is_that_of_the_tables(failures: int, count: int, low: float, high: float) -> None:
    assert list(wilson(failures, count)) == pytest.approx([low, high], abs=0.001)


def test_the_true_percentile_lies_in_the_interval_nineteen_times_of_twenty() -> None:
    source, inside = random.Random(1), 0
    for _ in range(500):
        low, high = rank_interval([source.random() for _ in range(200)], 95)
        inside += low <= 0.95 <= high
    assert inside / 500 == pytest.approx(0.95, abs=0.03)


def test_the_same_release_is_not_failed_by_noise() -> None:
    source = random.Random(2)

    def noisy() -> Sampled:
        return Sampled([0.1 + source.expovariate(20) for _ in range(100)])

    bounds = replace(BOUNDS, latency_floor_ms=0)
    assert sum(judge(noisy(), noisy(), bounds).judgement is Judgement.FAILED for _ in range(300)) <= 3
