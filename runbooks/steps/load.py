"""A load rehearsal: what may be asked, the load itself, and what it came to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from runbooks.engine.errors import InputError
from runbooks.engine.step import Scope
from runbooks.environment.site import Site
from runbooks.environment.watching import Load
from runbooks.systems.ledger.ledger import REHEARSAL
from runbooks.systems.load.generator import Measured, Order, generate

LONGEST_MINUTES = 120.0
TIMEOUT_OVER_BUDGET = 5.0
"""A request is given up at this many times the budget of the slowest percentile, and not below ten seconds."""

LAG_MS = 50.0
"""A generator that sends this late measures its own machine."""


@dataclass
class Rehearsal:
    """What the steps of a rehearsal share. ``told`` is the ledger's entry once there is one."""

    site: Site
    rate: float
    minutes: float
    told: dict[str, Any] | None = None

    @property
    def declared(self) -> Load:
        return self.site.environment.load

    @property
    def order(self) -> Order:
        """The load that was asked for."""
        return Order(
            url=str(self.site.application),
            paths=self.declared.paths,
            rate=self.rate,
            seconds=self.minutes * 60,
            timeout=max(10.0, self.declared.p99_ms / 1000 * TIMEOUT_OVER_BUDGET),
            ca_file=self.site.environment.application.ca_file,
            addresses=self._addresses(),
        )

    def _addresses(self) -> dict[str, str]:
        """Where the application's name is reached, by the declared name servers; nothing where none are declared."""
        host = urlsplit(str(self.site.application)).hostname or ""
        if not self.site.environment.dns.servers or host.replace(".", "").isdecimal():
            return {}
        return {host: self.site.public.names.address(host)}


def refuse_undeclared(work: Rehearsal) -> None:
    """Raises InputError if the inventory does not allow this load here."""
    name, declared = work.site.environment.name, work.declared
    where = f"inventory/{name}/environment.toml"
    if not declared.allowed:
        raise InputError(
            f"no load may be put on {name}",
            where=where,
            found="load.allowed is not true",
            mend=f"ask its owner, then set allowed = true, paths and rate in [load] of {where}",
        )
    if not 0 < work.rate < 100_000:
        raise InputError("the rate must be a number of requests per second above 0", where="--rate")
    if not 0 < work.minutes <= LONGEST_MINUTES:
        raise InputError(f"a rehearsal lasts more than 0 and at most {LONGEST_MINUTES:g} minutes", where="--minutes")


def put_load(work: Rehearsal, scope: Scope) -> str:
    """Put the load on the application, and write what was measured into the ledger."""
    order = work.order
    scope.say(f"{order.requests} requests, {work.rate:g} a second, for {order.seconds:g} s")
    measured = generate(order, scope.stop_event)
    work.told = told(work, measured)
    work.site.ledger.append(REHEARSAL, work.site.commit or "", work.told | {"run": scope.run})
    scope.record("rehearsal", **work.told)
    return summary(work.told)


def told(work: Rehearsal, measured: Measured) -> dict[str, Any]:
    """The ledger's entry: what was asked, measured and allowed, and what missed."""
    found = {
        "rate": work.rate,
        "minutes": work.minutes,
        "paths": list(work.declared.paths),
        "requests": len(measured.latencies_ms),
        "p50_ms": round(measured.latency(50), 1),
        "p95_ms": round(measured.latency(95), 1),
        "p99_ms": round(measured.latency(99), 1),
        "error_percent": round(measured.error_percent, 2),
        "failures": dict(measured.failures),
        "lag_ms": round(measured.lag_ms, 1),
    }
    return found | {"missed": list(_missed(work.declared, found))}


def _missed(declared: Load, found: dict[str, Any]) -> Iterator[str]:
    """What was not within its budget."""
    for name, budget in (("p95", declared.p95_ms), ("p99", declared.p99_ms)):
        if found[f"{name}_ms"] > budget:
            yield f"{name} {found[f'{name}_ms']:g} ms of {budget:g} allowed"
    if found["error_percent"] > declared.max_error_percent:
        kinds = ", ".join(f"{count} × {kind}" for kind, count in found["failures"].items())
        yield f"{found['error_percent']:g} % failed of {declared.max_error_percent:g} allowed ({kinds})"


def summary(found: dict[str, Any]) -> str:
    """One sentence on a rehearsal."""
    text = (
        f"{found['requests']} requests at {found['rate']:g} a second: p50 {found['p50_ms']:g} ms,"
        f" p95 {found['p95_ms']:g} ms, p99 {found['p99_ms']:g} ms, {found['error_percent']:g} % failed"
    )
    if found["lag_ms"] > LAG_MS:
        text += f"; this machine sent up to {found['lag_ms']:g} ms late, so it is part of what was measured"
    return text
