"""What a watch looks at, one function a source; the checks of the day after a deploy look with the same eyes.

Each returns JSON-like data, and raises SystemFault where it can't look. `sample` asks them all and goes on without
the source that failed: its place then says why.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from runbooks.checks import statements
from runbooks.checks.health import database_problem, health_problem
from runbooks.checks.journey import within_limits
from runbooks.checks.log_lines import is_error
from runbooks.engine.errors import Reason, RunbookError, SystemFault
from runbooks.environment.site import Site
from runbooks.systems.ledger.ledger import Entry

PROBES = 10
"""Requests to the health page for one sample; it has no rate limit."""

UNKNOWN = "unknown"
"""The entry that stands where a source could not be looked at, and says why."""

Data = dict[str, Any]


def sample(site: Site, since: datetime) -> Data:
    """One look at everything; ``since`` is when the log was looked at last."""
    cpu = _ticks(site)
    looked: Data = {
        "health": _looked(lambda: health(site)),
        "latency_ms": _looked(lambda: latency(site)),
        "queries": _looked(lambda: statements.look(site)),
        "connections": _looked(lambda: connections(site)),
        "errors": _looked(lambda: errors(site, since)),
    }
    looked["resources"] = _looked(lambda: resources(site, cpu))
    return looked


def health(site: Site) -> Data:
    """What is wrong with each health page, or nothing."""
    return {
        "app": _problem(lambda: health_problem(site.application.get("/health"))),
        "database": _problem(lambda: database_problem(within_limits(site.application.get("/health/db")))),
    }


def latency(site: Site, probes: int = PROBES) -> list[float]:
    """Milliseconds of each answer of the health page, one after the other."""
    return [round(site.application.get("/health").seconds * 1000, 2) for _ in range(probes)]


def errors(site: Site, since: datetime) -> Data:
    """Error lines in the log since then, over how many seconds, and the last of them."""
    log = site.platform.log_of_running()
    begin = max(since, site.platform.running().started)
    lines = [line.text for line in log.lines if line.time is not None and line.time >= begin and is_error(line)]
    seconds = max((datetime.now(UTC) - begin).total_seconds(), 1.0)
    last = site.redactor.text(lines[-1])[:200] if lines else ""
    return {"lines": len(lines), "seconds": round(seconds, 1), "last": last}


def per_minute(found: Mapping[str, Any]) -> float:
    """Error lines per minute; what began seconds ago counts as a minute, or one line would look like a burst."""
    return float(found["lines"]) / max(float(found["seconds"]) / 60, 1.0)


def connections(site: Site) -> Data:
    """How many connections the application has open, and how many its pools may open at most."""
    rows = site.database.rows(
        "SELECT count(*) AS used FROM pg_stat_activity WHERE datname = current_database()"
        " AND backend_type = 'client backend' AND application_name NOT IN ('praviel-runbooks', 'sandbox')"
    )
    return {"used": int(rows[0]["used"]), "provisioned": provisioned(site)}


def provisioned(site: Site) -> int:
    """The most connections that the pools of all workers and replicas may open."""
    pool, overflow = site.number("DB_POOL_SIZE", default=5), site.number("DB_MAX_OVERFLOW", default=5)
    return (pool + overflow) * processes(site)


def processes(site: Site) -> int:
    """How many processes serve requests."""
    return site.number("UVICORN_WORKERS", default=1) * site.environment.platform.replicas


Ticks = tuple[float, float]
"""A moment (monotonic seconds), and the processor seconds that the application had used by then."""


def ticks(site: Site) -> Ticks:
    """What the application's processes have used of the processor."""
    return time.monotonic(), sum(each.cpu_seconds for each in site.platform.processes().all())


def resources(site: Site, before: Ticks | None = None) -> Data:
    """Processor and memory of the application's processes.

    Args:
        before: An earlier reading; None: half a second is waited for one.
    """
    if before is None or time.monotonic() - before[0] < 0.2:
        before = before or ticks(site)
        time.sleep(0.5)
    at, used = ticks(site)
    all_of_it = site.platform.processes().all()
    return {
        "cpu_percent": round(max(used - before[1], 0.0) / (at - before[0]) * 100, 1),
        "memory_mb": round(sum(each.memory for each in all_of_it) / 1024**2, 1),
        "processes": len(all_of_it),
    }


def known(data: Any) -> bool:
    """Whether a source of a sample could be looked at."""
    return not (isinstance(data, dict) and UNKNOWN in data)


def baseline(site: Site) -> Sequence[Entry]:
    """The samples of the release before the one that runs; none where the commit is not known."""
    commit = site.commit
    return site.ledger.before(commit) if commit else ()


def of_source(samples: Sequence[Entry], source: str) -> list[Any]:
    return [entry.data[source] for entry in samples if source in entry.data and known(entry.data[source])]


def _looked(look: Callable[[], Any]) -> Any:
    try:
        return look()
    except RunbookError as error:
        return {UNKNOWN: f"{error.what}{': ' + error.found if error.found else ''}"}


def _problem(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except SystemFault as fault:
        if fault.reason is Reason.RATE_LIMITED:
            return ""
        return fault.what


def _ticks(site: Site) -> Ticks | None:
    try:
        return ticks(site)
    except RunbookError:
        return None
