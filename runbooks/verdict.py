"""From the results of a verification to one word: GO, NO-GO, or UNDECIDED."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runbooks.checks.declare import SiteCheck
from runbooks.checks.items import FINAL, GATED, ITEMS, SECTIONS
from runbooks.checks.registry import known
from runbooks.engine.check import Result
from runbooks.engine.outcome import Verdict
from runbooks.engine.step import Conclusion

GO, NO_GO, UNDECIDED = "GO", "NO-GO", "UNDECIDED"
EXIT_CODES = {GO: 0, NO_GO: 3, UNDECIDED: 4}

ALWAYS_NAMED = (106, 107, 110)
"""Items whose absence is named in the verdict: the backup, its proof, and the rehearsed rollback."""


@dataclass(frozen=True)
class Judged:
    """What a verdict is made from.

    Attributes:
        partial: The operator selected some of the checks.
        dirty: Test users may be left in the environment.
        ending: Attestations and waivers that counted here and end soon, each with its last day.
    """

    label: str
    protected: bool
    checks: Sequence[SiteCheck]
    results: Mapping[str, Result]
    partial: bool
    dirty: bool = False
    ending: tuple[str, ...] = ()


def judge(run: Judged) -> Conclusion:
    """Nothing failed or unknown in the five gated sections (and the document's three final probes) is a GO.

    A protected environment is never a GO while a gated section holds items that nobody has looked at, because their
    checks are not built yet: what was not looked at is unknown.
    """
    verdicts = {check.id: _verdict(run.results, check) for check in run.checks}
    gating = [check for check in run.checks if check.section in (*GATED, FINAL)]
    counts = Counter(verdicts[check.id] for check in run.checks)
    in_gates = Counter(verdicts[check.id] for check in gating)
    unbuilt = _unbuilt_gated()
    if in_gates[Verdict.FAILED]:
        word = NO_GO
    elif in_gates[Verdict.UNKNOWN] or (run.protected and not run.partial and unbuilt):
        word = UNDECIDED
    else:
        word = GO
    return Conclusion(
        verdict=word,
        exit_code=EXIT_CODES[word],
        facts={
            "verdict": word,
            "line": f"{word} {run.label}: {_account(run, counts, verdicts)}",
            "partial": run.partial,
            "counts": {verdict.value: counts[verdict] for verdict in Verdict},
            "coverage": {"items": len(ITEMS), "built": _built(), "selected": len(run.checks)},
            "sections": [_section(title, run, verdicts) for title in (*SECTIONS, FINAL)],
        },
    )


def _verdict(results: Mapping[str, Result], check: SiteCheck) -> Verdict:
    """A check that was not asked any more, because the run was stopped, is unknown."""
    result = results.get(check.id)
    return result.verdict if result else Verdict.UNKNOWN


def _account(run: Judged, counts: Counter[Verdict], verdicts: Mapping[str, Verdict]) -> str:
    told = [f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict]]
    parts = [", ".join(told)]
    earlier = [result.reused.at for result in run.results.values() if result.reused]
    if earlier:
        oldest = f"{min(earlier):%Y-%m-%d %H:%M} UTC"
        parts.append(f"{len(earlier)} of them by evidence of earlier runs since {oldest}, because a limit is spent")
    outside = [
        check.id
        for check in run.checks
        if check.section not in (*GATED, FINAL) and verdicts[check.id] in (Verdict.FAILED, Verdict.UNKNOWN)
    ]
    if outside:
        parts.append(f"{len(outside)} not passed outside the gates")
    named = [check.id for check in run.checks if check.number in ALWAYS_NAMED and check.id in outside]
    if named:
        parts.append(f"among them {', '.join(named)}")
    if run.dirty:
        parts.append("test users may be left, see the last step")
    if run.ending:
        parts.append(f"somebody's word ends soon: {', '.join(run.ending)}")
    if run.partial:
        parts.append(f"only {len(run.checks)} of {len(known())} checks were selected")
    if _built() < len(ITEMS):
        parts.append(
            f"{_built()} of the document's {len(ITEMS)} items have a check, {_unbuilt_gated()} gated ones have none"
        )
    return "; ".join(parts)


def _section(title: str, run: Judged, verdicts: Mapping[str, Verdict]) -> dict[str, Any]:
    own = [check for check in run.checks if check.section == title]
    counts = Counter(verdicts[check.id] for check in own)
    items = [item.id for item in ITEMS if item.section == title]
    probes = [check for check in known().values() if check.section == title and check.number is None]
    return {
        "title": title,
        "gated": title in (*GATED, FINAL),
        "items": len(items) or len(probes),
        "built": len([item for item in items if item in known()]) or len(probes),
        **{verdict.value: counts[verdict] for verdict in Verdict},
    }


def _built() -> int:
    return sum(item.id in known() for item in ITEMS)


def _unbuilt_gated() -> int:
    return sum(item.id not in known() for item in ITEMS if item.section in GATED)
