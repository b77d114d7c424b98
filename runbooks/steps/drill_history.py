"""What drills have come to over time, as a table and two pictures, with the time that a restore may take now. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from runbooks.environment.backup import Backup
from runbooks.systems.snapshots.drills import PROVEN, Drill

BARS = 24
"""Of a picture at most: more can't be read."""

LOOKED_BACK = 5
"""How many drills the next restore's time is judged by."""


def page(drills: Sequence[Drill], damage: Sequence[str], backup: Backup) -> dict[str, Any]:
    """A page of the run log; `report.markdown` renders it.

    Args:
        drills: Oldest first.
        damage: Records that can't be read.
        backup: With the targets.
    """
    shown = drills[-BARS:]
    labels = [f"{drill.ended:%Y-%m-%d}" for drill in shown]
    if len(set(labels)) < len(labels):
        labels = [f"{drill.ended:%m-%d %H:%M}" for drill in shown]
    unit, of = ("min", 60) if any((drill.rto or 0) > 120 for drill in shown) else ("s", 1)
    charts: list[dict[str, Any]] = [
        {
            "title": "Time to a proven database (RTO)",
            "unit": unit,
            "labels": labels,
            "values": [None if drill.rto is None else round(drill.rto / of, 2) for drill in shown],
            "limit": backup.rto_minutes * 60 / of if backup.rto_minutes else None,
        },
        {
            "title": "Age of the newest snapshot (RPO)",
            "unit": "h",
            "labels": labels,
            "values": [None if drill.rpo is None else round(drill.rpo / 3600, 2) for drill in shown],
            "limit": backup.rpo_hours,
        },
    ]
    return {
        "title": "Drills over time",
        "notes": [*notes(drills, backup), *(f"Damaged, left out: {each}" for each in damage)],
        "charts": [chart for chart in charts if any(value is not None for value in chart["values"])],
        "table": {"head": list(HEAD), "rows": [list(row(drill)) for drill in reversed(drills)]},
    }


HEAD = ("Ended, UTC", "Verdict", "RTO", "of it fetched", "restored", "proven", "RPO", "Rows", "MB", "Snapshot")
"""Of the table, the newest drill first."""


def row(drill: Drill) -> tuple[str, ...]:
    """One drill."""
    seconds = drill.seconds
    restored = [seconds[stage] for stage in ("start-server", "create-sibling", "fill") if stage in seconds]
    return (
        f"{drill.ended:%Y-%m-%d %H:%M}",
        drill.verdict,
        _span(drill.rto),
        _span(seconds.get("fetch")),
        _span(sum(restored) if restored else None),
        _span(seconds.get("prove")),
        _span(drill.rpo),
        str(drill.rows),
        f"{drill.bytes / 1e6:.1f}",
        drill.snapshot,
    )


def notes(drills: Sequence[Drill], backup: Backup) -> list[str]:
    """The targets, the last proof, and how long a restore will probably take."""
    rto = f"{backup.rto_minutes} min" if backup.rto_minutes else "none"
    rpo = f"{backup.rpo_hours} h" if backup.rpo_hours else "none"
    told = [f"Targets: RTO {rto}, RPO {rpo}."]
    proven = [drill for drill in drills if drill.verdict == PROVEN]
    told.append(
        f"Last proven within them on {proven[-1].ended:%Y-%m-%d}; {len(proven)} of {len(drills)} drills were."
        if proven
        else f"None of {len(drills)} drills was proven within them."
    )
    expected = forecast(drills)
    if expected is not None:
        told.append(f"By the last drills, restoring the newest snapshot takes about {_span(expected)}.")
    return told


def forecast(drills: Sequence[Drill]) -> float | None:
    """Seconds that a restore of as much as the last drill's will take: the median rate of the last ones that ended."""
    measured = [drill for drill in drills if drill.rto is not None and drill.bytes][-LOOKED_BACK:]
    if not measured:
        return None
    return measured[-1].bytes * median((drill.rto or 0.0) / drill.bytes for drill in measured)


def _span(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
