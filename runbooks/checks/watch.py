"""The day after a deploy: response times and queries, compared with the release before.

The present is looked at now; what was normal before comes from the watch's ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runbooks.checks import sampling, statements
from runbooks.checks.declare import check
from runbooks.checks.sampling import baseline, of_source
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Phase, Severity, failed, passed, skipped
from runbooks.engine.percentile import percentile
from runbooks.systems.ledger.ledger import Entry

SLOWER = 1.5
"""Times. Less than that two measurements of the same release differ by."""

FLOORS_MS = {50: 20.0, 95: 50.0, 99: 100.0}
"""Milliseconds by percentile. A smaller difference is a machine's mood, whatever the ratio."""

PROBES = 40
LEAST_PROBES = 20


@check(
    "watch.response-times",
    severity=Severity.MAJOR,
    evidence=Evidence.PROBE,
    phase=Phase.AFTER,
    target="application",
    alone=True,
)
def response_times(subject: Subject) -> Finding:
    before = baseline(subject.site)
    usual = [each for entry in of_source(before, "latency_ms") for each in entry]
    expected = "answers of /health are as fast as those of the release before"
    if len(usual) < LEAST_PROBES:
        return skipped(
            expected, "no release before this one was watched from here, so there is nothing to compare with"
        )
    now = sampling.latency(subject.site, PROBES)
    slower = [share for share in FLOORS_MS if _is_slower(percentile(now, share), percentile(usual, share), share)]
    expected = f"{expected} ({_release(before)}: {_percentiles(usual)})"
    if slower:
        found = f"slower at {', '.join(f'p{share}' for share in slower)}: {_percentiles(now)}"
        return failed(
            expected, found, "see watch.resources and watch.query-performance; invoke rollback if users suffer"
        )
    return passed(expected, _percentiles(now))


@check(
    "watch.query-performance",
    severity=Severity.MAJOR,
    evidence=Evidence.PROBE,
    phase=Phase.AFTER,
    target="postgres",
)
def query_performance(subject: Subject) -> Finding:
    limits = subject.environment.watch
    now = statements.look(subject.site)
    before = [each["slowest"][0]["mean_ms"] for each in of_source(baseline(subject.site), "queries") if each["slowest"]]
    usual = percentile(before, 50) if before else None
    most = limits.slow_statement_ms if usual is None else min(limits.slow_statement_ms, 2 * usual + 50)
    against = "no release before this one was watched" if usual is None else f"{usual:.1f} ms before"
    expected = (
        f"the slowest statement takes at most {most:.0f} ms on average ({against}), no transaction is older than"
        f" {limits.long_transaction_seconds:g} s, none waits {limits.lock_wait_seconds:g} s for a lock, no large table"
        f" has {limits.dead_rows_percent:g} % dead rows"
    )
    wrong = [*_slow(now["slowest"], most), *_standing(now, limits)]
    if wrong:
        return failed(expected, "; ".join(wrong), "EXPLAIN (ANALYZE) the statement; see pg_stat_activity and pg_locks")
    slowest = f"{now['slowest'][0]['mean_ms']:.1f} ms" if now["slowest"] else "nothing ran"
    return passed(expected, f"slowest: {slowest}; oldest transaction {now['oldest_transaction']['seconds']:g} s")


def _slow(slowest: Sequence[Any], most: float) -> list[str]:
    return [
        f"{each['mean_ms']:.0f} ms on average in {each['calls']} calls: {each['statement'][:100]}"
        for each in slowest
        if each["mean_ms"] > most
    ]


def _standing(now: Any, limits: Any) -> list[str]:
    """What holds others up."""
    wrong = []
    oldest, wait, dead = now["oldest_transaction"], now["lock_wait"], now["dead_rows"]
    if oldest["seconds"] > limits.long_transaction_seconds:
        wrong.append(f"a transaction is {oldest['seconds']:.0f} s old ({oldest['what']})")
    if wait["seconds"] > limits.lock_wait_seconds:
        wrong.append(f"{wait['waiting']} wait for a lock, the longest {wait['seconds']:.0f} s")
    if dead["percent"] > limits.dead_rows_percent:
        wrong.append(f"{dead['percent']:.0f} % of the rows of {dead['table']} are dead")
    return wrong


def _is_slower(now: float, usual: float, share: int) -> bool:
    return now > usual * SLOWER and now - usual > FLOORS_MS[share]


def _percentiles(values: Sequence[float]) -> str:
    told = ", ".join(f"p{share} {percentile(values, share):.0f} ms" for share in FLOORS_MS)
    return f"{told} of {len(values)}"


def _release(samples: Sequence[Entry]) -> str:
    return f"release {samples[-1].release[:12]}" if samples else "no release"
