"""The longest chain of a verification: what it would take if nothing ever waited for a core or for a place in a queue.

Pure; reads a run's records.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from graphlib import TopologicalSorter

from runbooks.engine.journal import Record

AT_ONCE, ALONE = "check", "measure"
"""The steps that ask checks; the second asks one after the other."""


def longest(records: Sequence[Record], waits_for: Mapping[str, Collection[str]]) -> float:
    """Seconds: the steps in sequence, the checks that are asked at once by their longest path.

    Args:
        waits_for: Which checks each check comes after, whatever the reason.
    """
    total = 0.0
    asked: dict[str, float] = {}
    for record in records:
        if record.kind == "check":
            asked[record.data["id"]] = float(record.data["seconds"])
        elif record.kind == "outcome":
            if record.data["step"] == AT_ONCE:
                total += longest_path(asked, waits_for)
            elif record.data["step"] == ALONE:
                total += sum(asked.values())
            else:
                total += float(record.data["seconds"])
            asked = {}
    return total


def longest_path(seconds: Mapping[str, float], waits_for: Mapping[str, Collection[str]]) -> float:
    """The most seconds on any path through these, each after those that it waits for."""
    graph = {name: [other for other in waits_for.get(name, ()) if other in seconds] for name in seconds}
    until: dict[str, float] = {}
    for name in TopologicalSorter(graph).static_order():
        until[name] = seconds[name] + max((until[other] for other in graph[name]), default=0.0)
    return max(until.values(), default=0.0)


def span(records: Sequence[Record]) -> float:
    """Seconds from the first record to the last."""
    return (records[-1].at - records[0].at).total_seconds()
