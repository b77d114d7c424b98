"""How much room there is before the application must grow."""

from __future__ import annotations

from runbooks.checks.declare import check
from runbooks.checks.subject import Subject
from runbooks.checks.units import amount
from runbooks.engine.check import Evidence, Finding, Severity, passed
from runbooks.systems.platform.port import Limit, Resource


@check("scaling.limits-known", severity=Severity.MINOR, evidence=Evidence.PROBE, target="platform")
def limits_known(subject: Subject) -> Finding:
    expected = "the platform's limits can be read, with what is used of them now"
    platform = subject.site.platform
    host, tree = platform.host(), platform.processes()
    told = [_limit(limit) for limit in platform.limits()]
    machine = f"host: {host.cores} cores, {amount(host.memory, Resource.MEMORY)}"
    return passed(expected, "; ".join([*told, f"processes: {len(tree.all())}", machine]))


def _limit(limit: Limit) -> str:
    most = "no limit" if limit.most is None else amount(limit.most, limit.resource)
    share = f" ({100 * limit.used / limit.most:.0f} %)" if limit.most and limit.used is not None else ""
    return f"{limit.resource}: {amount(limit.used, limit.resource)} of {most}{share}"
