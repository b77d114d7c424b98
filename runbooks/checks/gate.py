"""A gate sums up other checks: it is as good as the worst of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from itertools import groupby

from runbooks.checks.items import BY_ID, ITEMS
from runbooks.checks.subject import Subject
from runbooks.engine.check import Check, Evidence, Finding, Phase, Results, Severity, failed, passed, skipped, unknown
from runbooks.engine.outcome import Verdict


def gate(
    id: str,
    *,
    over: tuple[str, ...],
    numbers: Iterable[int],
    severity: Severity,
    phase: Phase,
    also: Callable[[Subject], Finding] | None = None,
    target: str = "results",
) -> Check[Subject]:
    """Declare a gate over the checks that exist for the document's items of these numbers.

    What it says names the items of the range that no check covers yet.

    Args:
        also: What it looks at itself once they hold.
        target: What that asks.
    """
    item = BY_ID[id]
    range_of_numbers = sorted(numbers)
    missing = [str(each.number) for each in ITEMS if each.number in range_of_numbers and each.id not in over]

    def look(subject: Subject, known: Results) -> Finding:
        expected = f"items {ranges(range_of_numbers)} hold in this run"
        bad = [name for name in over if known[name].verdict is Verdict.FAILED]
        blind = [name for name in over if known[name].verdict is Verdict.UNKNOWN]
        if bad:
            return failed(expected, f"failed: {', '.join(bad)}", "mend them, in this order")
        if blind:
            return unknown(expected, f"unknown: {', '.join(blind)}", "see why they could not be looked at")
        if all(known[name].verdict is Verdict.SKIPPED for name in over):
            return skipped(expected, "none of them applies here")
        scope = f"; no check is built for {', '.join(missing)}" if missing else ""
        hold = f"{len(over)} of {len(over)} checks hold{scope}"
        return also(subject) if also else passed(expected, hold)

    return Check(
        id=id,
        title=item.title,
        number=item.number,
        section=item.section,
        severity=severity,
        evidence=Evidence.PROBE,
        phase=phase,
        valid_for=timedelta(hours=24),
        depends_on=over,
        target=target,
        look=look,
        gate=True,
    )


def ranges(numbers: Sequence[int]) -> str:
    """Numbers as a person writes them, ``50 and 72 to 74``; they ascend."""
    runs = [[number for _, number in run] for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0])]
    return " and ".join(str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)
