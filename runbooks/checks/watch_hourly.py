"""Whether anybody looked: the scheduled watch, hour by hour, in the day after a deploy."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from runbooks.checks.declare import check
from runbooks.checks.released import history_of
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Phase, Severity, failed, passed, skipped, unknown
from runbooks.engine.errors import Reason
from runbooks.systems.ledger.ledger import DEPLOYED, SAMPLE, Entry

HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)
LATE = timedelta(minutes=5)
"""How late a timer may be."""


@check(
    "watch.hourly-health",
    severity=Severity.MAJOR,
    evidence=Evidence.LEDGER,
    phase=Phase.AFTER,
    target="ledger",
)
def hourly_health(subject: Subject) -> Finding:
    commit, now = subject.site.commit, datetime.now(UTC)
    expected = "the ledger has a sample of every hour since the deploy, for the first day"
    mend = f"have a timer run every hour: invoke release.watch --once --env {subject.environment.name}"
    if not commit:
        why = "it is not known which release runs, so not since when"
        return unknown(expected, why, "declare release.commit_variable in the inventory", Reason.FAILED)
    newest = next(subject.site.ledger.newest(SAMPLE), None)
    samples = _stretch(subject, commit)
    began, how = _began(subject, commit, samples)
    if now - began < HOUR:
        minutes = (now - began).total_seconds() / 60
        return skipped(expected, f"the first hour has not passed: {how} {minutes:.0f} min ago, {len(samples)} samples")
    end = min(now, began + DAY)
    times = [began, *(entry.at for entry in samples if began <= entry.at <= end), end]
    gaps = [(before, after) for before, after in pairwise(times) if after - before > HOUR + LATE]
    if gaps:
        told = ", ".join(f"{before:%Y-%m-%d %H:%M} to {after:%H:%M} UTC" for before, after in gaps[:3])
        last = f"; the last sample of all is of {newest.at:%Y-%m-%d %H:%M} UTC" if newest else ""
        return failed(expected, f"nothing was looked at from {told} ({how} {began:%H:%M}){last}", mend)
    unwell = sum(any(entry.data.get("health", {}).values()) for entry in samples)
    return passed(expected, f"{len(samples)} samples since {began:%Y-%m-%d %H:%M} UTC, {unwell} of them unhealthy")


def _stretch(subject: Subject, commit: str) -> list[Entry]:
    """The samples of this release since another one was sampled last; oldest first."""
    found: list[Entry] = []
    for entry in subject.site.ledger.newest(SAMPLE):
        if entry.release != commit:
            break
        found.append(entry)
    return found[::-1]


def _began(subject: Subject, commit: str, samples: list[Entry]) -> tuple[datetime, str]:
    """Since when the release runs, and how that is known; where nobody noted it, when it was started last."""
    noted = list(_noted(subject, commit))
    if noted:
        return max(noted), "deployed"
    return (samples[0].at, "first seen") if samples else (subject.site.platform.running().started, "started")


def _noted(subject: Subject, commit: str) -> Iterator[datetime]:
    """When this release was put to work, by the ledger of releases and by whoever started it without a deploy."""
    line = history_of(subject).line
    if line and line[-1].release.commit == commit:
        yield line[-1].entry.at
    noted = next(subject.site.ledger.newest(DEPLOYED), None)
    if noted is not None and noted.release == commit:
        yield noted.at
