"""What a watch finds: pools that don't suit the load, a release that fares worse than the last, nobody looking."""

from __future__ import annotations

from datetime import timedelta

from runbooks.sandbox.faults import means, watched
from runbooks.sandbox.faults.fault import Fault
from runbooks.sandbox.faults.means import build, built

DEAD_ROWS = means.altered(
    "ALTER TABLE source_doc SET (autovacuum_enabled = off);"
    " INSERT INTO source_doc (slug, title) SELECT 'spare-' || number, 'spare' FROM generate_series(1, 12000) number;"
    " DELETE FROM source_doc WHERE slug LIKE 'spare-%'",
    "ALTER TABLE source_doc RESET (autovacuum_enabled)",
    "VACUUM source_doc",
)
"""Rows that come and go, in a table that nobody cleans up behind them."""

FAULTS = (
    built(
        "connections-past-the-pool",
        "postgres.pooled",
        "more than the pools can have opened",
        "watch.resources",
    ),
    Fault(
        name="pool-too-small",
        breaks="capacity.pool-matches-load",
        shows="10 × 1 processes = 10",
        also=("postgres.pool-size",),
        means=means.variable("DB_POOL_SIZE", "10"),
    ),
    Fault(
        name="pool-ten-times-the-peak",
        breaks="capacity.not-overprovisioned",
        shows="40 are provisioned",
        means=watched.ledger(watched.spread_over(timedelta(hours=25), 30), also=means.variable("DB_POOL_SIZE", "30")),
    ),
    Fault(
        name="error-burst",
        breaks="watch.error-logs",
        shows="feed not connected",
        means=watched.until_seen(build("error-burst"), watched.logged("feed not connected")),
    ),
    built("memory-hoarded", "watch.resources", "over the limit: memory"),
    built("processor-hogged", "watch.resources", "over the limit: processor"),
    Fault(
        name="health-twice-as-slow",
        breaks="watch.response-times",
        shows="slower at p50",
        means=watched.after_samples(3, build("health-twice-as-slow")),
    ),
    built("sequential-scan", "watch.query-performance", "FROM token a, token b, lexeme c"),
    Fault(
        name="transaction-left-open",
        breaks="watch.query-performance",
        shows="idle in transaction",
        means=watched.until_seen(build("transaction-left-open"), watched.idle_in_transaction(5.5)),
    ),
    Fault(
        name="lock-waited-for",
        breaks="watch.query-performance",
        shows="1 wait for a lock",
        means=watched.until_seen(build("lock-waited-for"), watched.waiting_for_a_lock(5.5)),
    ),
    Fault(
        name="dead-rows-pile-up",
        breaks="watch.query-performance",
        shows="% of the rows of source_doc are dead",
        means=watched.until_seen(DEAD_ROWS, watched.dead_rows(10_000)),
    ),
    Fault(
        name="watch-stopped",
        breaks="watch.hourly-health",
        shows="nothing was looked at from",
        means=watched.ledger(watched.earlier(timedelta(hours=3))),
    ),
    Fault(
        name="load-never-rehearsed",
        breaks="scaling.database-load",
        shows="no such rehearsal is in the ledger",
        means=watched.ledger(watched.without_rehearsals),
    ),
    Fault(
        name="load-rehearsal-missed",
        breaks="scaling.database-load",
        shows="missed: p95",
        means=watched.ledger(watched.rehearsed_on(build("health-slow"))),
    ),
    Fault(
        name="load-rehearsal-old",
        breaks="scaling.database-load",
        shows="101 days old",
        means=watched.ledger(watched.rehearsals_earlier(timedelta(days=101))),
    ),
)
