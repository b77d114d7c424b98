"""What is normal for an environment, and what load it is meant to bear: the tables ``[watch]`` and ``[load]``."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from runbooks.environment.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Limits that hold after a deploy whatever the release before was like.

    Attributes:
        error_lines_per_minute: The most error lines in the application's log.
        cpu_percent: The most processor time, in percent of one core per worker.
        memory_mb: The most resident memory per worker, in MiB.
        connections_percent: The most database connections in use, in percent of what the pools may open.
        slow_statement_ms: The longest mean time of a statement, in milliseconds.
        long_transaction_seconds: How old a transaction of the application may be, in seconds.
        lock_wait_seconds: How long one may wait for a lock, in seconds.
        dead_rows_percent: The most dead rows of a table of at least 10,000, in percent.
    """

    error_lines_per_minute: float = 5.0
    cpu_percent: float = 80.0
    memory_mb: float = 512.0
    connections_percent: float = 80.0
    slow_statement_ms: float = 200.0
    long_transaction_seconds: float = 60.0
    lock_wait_seconds: float = 10.0
    dead_rows_percent: float = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """The load that is expected, and whether it may be rehearsed here.

    Attributes:
        allowed: Whether ``release.load`` may put load on this environment.
        paths: What is asked for in turn; none of them may have a rate limit.
        rate: The expected requests per second; None means that nobody has said.
        minutes: How long a rehearsal must last to count, in minutes.
        p95_ms: What 95 of 100 answers may take, in milliseconds.
        p99_ms: What 99 of 100 answers may take, in milliseconds.
        max_error_percent: The most answers other than HTTP 200, in percent.
        concurrent_requests: The most requests that are expected at once; None means that nobody has said.
    """

    allowed: bool = False
    paths: tuple[str, ...] = ("/health",)
    rate: float | None = None
    minutes: float = 5.0
    p95_ms: float = 500.0
    p99_ms: float = 1000.0
    max_error_percent: float = 1.0
    concurrent_requests: int | None = None


def problems(watch: Watch, load: Load) -> Iterator[Problem]:
    """Values that neither table can have."""
    for table, declared in (("watch", watch), ("load", load)):
        for key in declared.__slots__:
            value = getattr(declared, key)
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                continue
            least_is_fine = key in ("error_lines_per_minute", "max_error_percent") and value == 0
            if not math.isfinite(value) or (value <= 0 and not least_is_fine):
                what = f"'{table}.{key}' must be a number above 0"
                yield Problem((table, key), what, found=f"the number {value:g}")
    if not load.paths:
        yield Problem(("load", "paths"), "'load.paths' is empty", mend='write for example ["/health"]')
    for path in load.paths:
        if not path.startswith("/") or any(character.isspace() for character in path):
            what = "'load.paths' must hold paths that begin with '/'"
            yield Problem(("load", "paths"), what, found=repr(path[:60]), mend='write for example ["/health"]')
