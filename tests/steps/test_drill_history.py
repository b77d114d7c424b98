"""Drills over time: the table, the pictures, and the time that a restore may be expected to take."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from runbooks.environment.backup import Backup
from runbooks.report.markdown import render_page
from runbooks.steps import drill_history
from runbooks.systems.snapshots.drills import FAILED, MISSED, PROVEN, Drill

BEGAN = datetime(2026, 1, 1, 3, tzinfo=UTC)
NONE = Backup()


def drill(day: int, verdict: str = PROVEN, rto: float | None = 30.0, size: int = 10**9) -> Drill:
    return Drill(
        run=f"2026010{day}T030000.000Z-backup.drill-aaaa",
        verdict=verdict,
        snapshot=f"2026010{day}T020000Z-aaaa",
        ended=BEGAN + timedelta(days=day),
        server=18,
        rows=5,
        bytes=size,
        rto=rto,
        rpo=None if rto is None else 3600.0,
        seconds={} if rto is None else {"fetch": 1.0, "create-sibling": 2.0, "fill": rto - 4, "prove": 1.0},
    )


def test_the_page_has_a_table_with_the_newest_first_and_a_picture_of_each_figure() -> None:
    text = render_page(drill_history.page([drill(1), drill(2, FAILED, None), drill(3)], [], Backup(rto_minutes=1)))

    rows = [line for line in text.splitlines() if line.startswith("| 2026")]
    assert [row.split(" | ")[1] for row in rows] == ["proven", "failed", "proven"]
    assert rows[0].startswith("| 2026-01-04 03:00 | proven | 30.0 s | 1.0 s | 28.0 s | 1.0 s | 60.0 min |")
    assert "bar [30, 0, 30]" in text, "what was not measured has no bar"
    assert "line [60, 60, 60]" in text, "the target, in the picture's unit"
    assert text.count("xychart-beta") == 2
    assert "Targets: RTO 1 min, RPO none." in text


def test_long_restores_are_drawn_in_minutes() -> None:
    page = drill_history.page([drill(1, rto=600.0)], [], Backup(rto_minutes=8))

    assert (page["charts"][0]["unit"], page["charts"][0]["values"], page["charts"][0]["limit"]) == ("min", [10.0], 8)


def test_drills_of_one_day_are_told_apart() -> None:
    later = replace(drill(1), ended=BEGAN + timedelta(days=1, hours=2))

    labels = drill_history.page([drill(1), later], [], NONE)["charts"][0]["labels"]

    assert labels == ["01-02 03:00", "01-02 05:00"]


def test_a_restore_is_expected_to_take_what_the_last_ones_took_by_size() -> None:
    assert drill_history.forecast([]) is None
    assert drill_history.forecast([drill(1, FAILED, None)]) is None
    last = drill(3, rto=90.0, size=2 * 10**9)
    assert drill_history.forecast([drill(1, rto=30.0), drill(2, rto=30.0), last]) == pytest.approx(60.0)


def test_what_is_damaged_or_was_never_proven_is_said() -> None:
    page = drill_history.page([drill(1, MISSED)], ["drills/x.json: no JSON"], NONE)

    assert "None of 1 drills was proven within them." in page["notes"]
    assert "Damaged, left out: drills/x.json: no JSON" in page["notes"]
