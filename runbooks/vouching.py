"""Where a person's word counts: an attestation where there is nothing to ask, a waiver where something has failed.

The one place that decides it. What a system answered always wins over an attestation, and that a system could not be
reached is no reason to believe one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from runbooks.checks.declare import SiteCheck
from runbooks.checks.items import BY_ID
from runbooks.checks.registry import known
from runbooks.engine.check import Finding, Result, failed
from runbooks.engine.errors import Reason
from runbooks.engine.outcome import Verdict
from runbooks.environment.people.days import over, today
from runbooks.environment.people.statements import Attestation, Items, evidence_problem
from runbooks.environment.people.written import Written

SOON = timedelta(days=14)
"""How long before a word ends it is said."""


def items() -> Items:
    """What may be attested or waived: the document's items and the closing section's probes."""
    checks = known().values()
    return Items(
        known={*BY_ID, *known()},
        attestable={check.id for check in checks if check.attestable},
        gates={check.id for check in checks if check.gate},
    )


def settle(written: Written, check: SiteCheck, finding: Finding, now: datetime | None = None) -> Finding:
    """What a finding comes to with what people have said of this item."""
    now = now or datetime.now(UTC)
    if check.attestable and finding.verdict is Verdict.UNKNOWN and finding.reason is Reason.NOTHING_TO_ASK:
        finding = _vouched(written, check, finding, now)
    if finding.verdict is Verdict.FAILED:
        finding = _waived(written, check, finding, now)
    return finding


def void(attestation: Attestation, written: Written, now: datetime) -> str:
    """Why an attestation does not count, or nothing."""
    if over(attestation.expires, now):
        return f"expired on {attestation.expires}"
    return evidence_problem(attestation.evidence, written.folder)


def ending(written: Written, results: Mapping[str, Result], now: datetime) -> tuple[str, ...]:
    """The words that counted in these results and end soon: ``scaling.horizontal-known (2026-05-31)``."""
    verdicts = {Verdict.ATTESTED: "attested", Verdict.WAIVED: "waived"}
    used = {(name, verdicts.get(result.verdict)) for name, result in results.items()}
    return tuple(
        f"{word.item} ({word.last})"
        for word in words(written)
        if word.left(now) <= SOON.days and (word.item, word.kind) in used
    )


@dataclass(frozen=True)
class Word:
    """An attestation or a waiver, as it is listed.

    Attributes:
        kind: ``attested`` or ``waived``.
        last: The last day on which it counts.
    """

    item: str
    kind: str
    by: str
    last: date

    def left(self, now: datetime) -> int:
        """How many days it still counts after today; below 0 when it has expired."""
        return (self.last - today(now)).days


def words(written: Written) -> Iterator[Word]:
    """The newest attestation and waiver of each item, in the order in which they end."""
    attested = map(written.attestations.of, {each.item for each in written.attestations.attestation})
    waived = map(written.waivers.of, {each.item for each in written.waivers.waiver})
    found = [Word(each.item, "attested", each.by, each.expires) for each in attested if each]
    found += [Word(each.item, "waived", each.owner, each.until) for each in waived if each]
    yield from sorted(found, key=lambda word: (word.last, word.item))


def _vouched(written: Written, check: SiteCheck, finding: Finding, now: datetime) -> Finding:
    command = f"invoke checklist.attest {check.id} --env {written.environment} --statement … --evidence … --expires …"
    attestation = written.attestations.of(check.id)
    if attestation is None:
        return replace(finding, mend=f"{finding.mend}; or, where somebody knows: {command}".removeprefix("; or, "))
    if problem := void(attestation, written, now):
        found = f"{finding.found}; the attestation of {attestation.by} {_is(problem)}"
        return failed(finding.expected, found, f"look at it again, then: {command}")
    said = f"{attestation.by} on {attestation.on}: {attestation.statement} ({attestation.evidence})"
    return Finding(Verdict.ATTESTED, finding.expected, f"{finding.found}; {said}, until {attestation.expires}")


def _waived(written: Written, check: SiteCheck, finding: Finding, now: datetime) -> Finding:
    waiver = written.waivers.of(check.id)
    if waiver is None:
        return finding
    if over(waiver.until, now):
        return replace(finding, found=f"{finding.found}; the waiver of {waiver.owner} expired on {waiver.until}")
    found = f"{finding.found}; waived by {waiver.owner} until {waiver.until}: {waiver.reason}"
    return replace(finding, verdict=Verdict.WAIVED, found=found)


def _is(problem: str) -> str:
    """The problem as the end of a sentence."""
    return problem if problem.startswith("expired") else f"does not count: {problem}"
