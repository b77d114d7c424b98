"""How a release is put to work, and what it must prove: the table ``[deploy]``."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from runbooks.environment.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Deploy:
    """What `release.deploy` waits for, and what it allows.

    Attributes:
        gate_seconds: How long a release may take until it has proved itself in the idle slot, in seconds.
        gate_stable_seconds: For how long without a break it must answer well there, in seconds.
        smoke_paths: What is asked for once it answers the public; none of them may have side effects.
        bake_seconds: For how long it is compared with the release before, in seconds.
        bake_probes: So many probes at least; fewer are inconclusive.
        bake_paths: What is asked for in turn; none of them may have a rate limit.
        max_error_percent: The most probes without HTTP 200.
        latency_ratio: How many times the 95th percentile before the new one may be.
        latency_floor_ms: Below this a latency is fine whatever it was before, in milliseconds.
        lock_timeout_seconds: How long a migration waits for a lock before it gives up, in seconds.
        statement_timeout_seconds: How long one of its statements may take, in seconds.
        free_mib: So much must be free on each host, in MiB.
        staging: The environment in which releases and rollbacks are tried first; None: there is none.
    """

    gate_seconds: float = 300.0
    gate_stable_seconds: float = 10.0
    smoke_paths: tuple[str, ...] = ("/health", "/health/db", "/openapi.json")
    bake_seconds: float = 600.0
    bake_probes: int = 100
    bake_paths: tuple[str, ...] = ("/health",)
    max_error_percent: float = 1.0
    latency_ratio: float = 1.5
    latency_floor_ms: float = 500.0
    lock_timeout_seconds: float = 10.0
    statement_timeout_seconds: float = 900.0
    free_mib: int = 1024
    staging: str | None = None


FEWEST_PROBES = 20
"""Fewer can't tell a good release from one that fails for every seventh user."""


def problems(deploy: Deploy) -> Iterator[Problem]:
    """Values that the table can't have."""
    for key in deploy.__slots__:
        value = getattr(deploy, key)
        if isinstance(value, tuple):
            yield from _paths(key, value)
        elif isinstance(value, int | float) and not _is_possible(key, value):
            yield Problem(("deploy", key), f"'deploy.{key}' must be a number above 0", found=f"the number {value:g}")
    if deploy.bake_probes < FEWEST_PROBES:
        what = f"'deploy.bake_probes' must be at least {FEWEST_PROBES}"
        yield Problem(("deploy", "bake_probes"), what, found=f"the number {deploy.bake_probes}")
    if deploy.latency_ratio < 1:
        what = "'deploy.latency_ratio' below 1 asks every release to be faster than the one before"
        yield Problem(("deploy", "latency_ratio"), what, found=f"the number {deploy.latency_ratio:g}")


def _is_possible(key: str, value: float) -> bool:
    return math.isfinite(value) and (value > 0 or (value == 0 and key == "max_error_percent"))


def _paths(key: str, paths: tuple[str, ...]) -> Iterator[Problem]:
    if not paths:
        yield Problem(("deploy", key), f"'deploy.{key}' is empty", mend='write for example ["/health"]')
    for path in paths:
        if not path.startswith("/") or any(character.isspace() for character in path):
            what = f"'deploy.{key}' must hold paths that begin with '/'"
            yield Problem(("deploy", key), what, found=repr(path[:60]), mend='write for example ["/health"]')
