"""How the database works for the application: its slowest statements now, old transactions, locks, dead rows."""

from __future__ import annotations

from typing import Any

from runbooks.checks.journey import within_limits
from runbooks.engine.errors import Reason, SystemFault
from runbooks.environment.site import Site

EXERCISE = ("/health/db", "/api/v1/languages")
"""Pages that read the database; each request counts towards the hundred reads a minute."""

SHOWN = 5
LEAST_ROWS = 10_000
"""Rows that a table needs before its dead ones are worth a word."""


def look(site: Site) -> dict[str, Any]:
    """Statistics over the statements that ran while pages were asked for, and what stands still.

    Raises:
        SystemFault: the database can't be asked, or has no statistics of its statements.
    """
    before = _totals(site)
    for path in EXERCISE:
        within_limits(site.application.get(path))
    return {"slowest": _slowest(before, _totals(site)), **_standing(site)}


def _totals(site: Site) -> dict[str, tuple[str, int, float]]:
    """Per statement: its text, calls, and milliseconds in all, since the statistics were last reset."""
    if not site.database.value("SELECT count(*) FROM pg_extension WHERE extname = 'pg_stat_statements'"):
        raise SystemFault(
            "the database keeps no statistics of its statements",
            reason=Reason.FAILED,
            found="extension pg_stat_statements is not installed",
            mend="load it with shared_preload_libraries, then as a superuser: CREATE EXTENSION pg_stat_statements",
        )
    rows = site.database.rows(
        "SELECT userid || '.' || queryid AS id, min(query) AS query, sum(calls)::bigint AS calls,"
        " sum(total_exec_time) AS total FROM pg_stat_statements"
        " WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND queryid IS NOT NULL AND query !~* '\\mpg_' GROUP BY 1"
    )
    return {row["id"]: (" ".join(row["query"].split())[:160], int(row["calls"]), float(row["total"])) for row in rows}


def _slowest(
    before: dict[str, tuple[str, int, float]], after: dict[str, tuple[str, int, float]]
) -> list[dict[str, Any]]:
    """The statements that ran in between, those with the longest mean time first."""
    ran: list[dict[str, Any]] = []
    for name, (query, calls, total) in after.items():
        _, calls_before, total_before = before.get(name, (query, 0, 0.0))
        if calls > calls_before:
            count = calls - calls_before
            mean = round((total - total_before) / count, 3)
            ran.append({"statement": query, "calls": count, "mean_ms": mean})
    return sorted(ran, key=lambda each: each["mean_ms"], reverse=True)[:SHOWN]


def _standing(site: Site) -> dict[str, Any]:
    """The oldest transaction, the longest wait for a lock, and the table with the most dead rows."""
    oldest = site.database.rows(
        "SELECT extract(epoch FROM clock_timestamp() - xact_start)::float AS seconds, state,"
        " left(query, 120) AS query FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        " AND xact_start IS NOT NULL ORDER BY xact_start LIMIT 1"
    )
    waiting = site.database.rows(
        "SELECT count(*) AS waiting,"
        " coalesce(max(extract(epoch FROM clock_timestamp() - waitstart)), 0)::float AS seconds"
        " FROM pg_locks WHERE NOT granted"
    )[0]
    dead = site.database.rows(
        "SELECT relname AS table, round(100.0 * n_dead_tup / (n_live_tup + n_dead_tup), 1)::float AS percent"
        " FROM pg_stat_user_tables WHERE n_live_tup + n_dead_tup >= %s ORDER BY 2 DESC LIMIT 1",
        [LEAST_ROWS],
    )
    return {
        "oldest_transaction": {
            "seconds": round(oldest[0]["seconds"], 1) if oldest else 0.0,
            "what": f"{oldest[0]['state']}: {' '.join(oldest[0]['query'].split())}" if oldest else "",
        },
        "lock_wait": {"seconds": round(waiting["seconds"], 1), "waiting": int(waiting["waiting"])},
        "dead_rows": dict(dead[0]) if dead else {"table": "", "percent": 0.0},
    }
