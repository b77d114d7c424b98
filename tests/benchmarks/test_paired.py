"""The arithmetic of the benchmarks; fast, so part of the ordinary suite."""

from __future__ import annotations

from tests.benchmarks.paired import Row, median, ratio, rotated, seconds, table


def test_each_round_begins_with_another_case() -> None:
    assert [rotated("abc", by) for by in range(4)] == [list("abc"), list("bca"), list("cab"), list("abc")]


def test_a_ratio_is_taken_round_by_round() -> None:
    # In the third round the machine was ten times slower for both: medians of the walls would say 20 / 1.
    assert ratio([2.0, 2.0, 20.0], [1.0, 1.0, 10.0]) == 2.0
    assert ratio([1.0, 30.0, 20.0], [1.0, 10.0, 10.0]) == 2.0


def test_rounds_that_a_slow_case_sat_out_do_not_count() -> None:
    assert ratio([8.0, None, None], [2.0, 1.0, 1.0]) == 4.0
    assert median([8.0, None, None]) == 8.0


def test_a_table_says_which_targets_are_met() -> None:
    rows = [
        Row(case="ours", against="floor", at_most=1.5),
        Row(case="floor"),
        Row(case="slow peer", against="ours", at_least=4, units=2),
        Row(case="fast peer", against="ours", at_least=4),
        Row(case="not installed", against="ours", at_least=4),
    ]
    walls: dict[str, list[float | None]] = {
        "ours": [0.1, 0.1],
        "floor": [0.05, 0.05],
        "slow peer": [1.0, None],
        "fast peer": [0.2, 0.2],
    }

    assert table("Title", rows, walls).splitlines()[4:] == [
        "| ours | 100 ms | floor | 2.00 | ≤ 1.5 | NO |",
        "| floor | 50 ms |  |  |  |  |",
        "| slow peer | 500 ms a unit (2) | ours | 5.00 | ≥ 4 | yes |",
        "| fast peer | 200 ms | ours | 2.00 | ≥ 4 | NO |",
    ]


def test_a_peer_that_does_less_is_compared_by_the_unit() -> None:
    rows = [Row(case="ours", units=100), Row(case="peer", against="ours", at_least=30, units=40)]

    assert "| 75.00 | ≥ 30 | yes |" in table("", rows, {"ours": [1.0], "peer": [30.0]})


def test_a_comparison_with_what_was_not_measured_is_left_empty() -> None:
    rows = [Row(case="ours", against="peer", at_most=1)]

    assert table("", rows, {"ours": [2.0]}).splitlines()[-1] == "| ours | 2 s |  |  |  |  |"


def test_seconds_have_three_digits() -> None:
    assert [seconds(0.12345), seconds(0.0012), seconds(12.345)] == ["123 ms", "1.2 ms", "12.3 s"]
