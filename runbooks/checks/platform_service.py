"""How the platform keeps the application running: what it asks, when it starts it again, and what it allows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runbooks.checks.declare import check
from runbooks.checks.subject import Subject
from runbooks.checks.units import amount
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed, unknown
from runbooks.systems.platform.port import Limit, Resource

HEALTH = "/health"


@check("platform.healthcheck-path", severity=Severity.MAJOR, evidence=Evidence.PROBE, target="platform")
def healthcheck_path(subject: Subject) -> Finding:
    expected = f"the platform asks {HEALTH} before it calls a release healthy"
    path = subject.site.platform.health_check_path()
    mend = f'set "healthcheckPath": "{HEALTH}" in railway.json, then deploy'
    if path is None:
        return failed(expected, "no health check path is set: a release that does not answer counts as healthy", mend)
    if path != HEALTH:
        return failed(expected, f"the health check path is {path}", mend)
    return passed(expected, f"the health check path is {path}")


@check("platform.restart-policy", severity=Severity.CRITICAL, evidence=Evidence.PROBE, target="platform")
def restart_policy(subject: Subject) -> Finding:
    expected = "the application is started again when it fails"
    settings = subject.site.platform.settings()
    policy = settings.restart
    tries = "without end" if policy.retries is None else f"at most {policy.retries} times"
    mend = f"in {settings.where}: autorestart = true (supervisor) or Restart=on-failure (systemd), then load it"
    if not policy.restarts:
        return failed(expected, f"{policy.setting}: it stays down", mend)
    if policy.retries == 0:
        return failed(expected, f"{policy.setting}, but no retry is allowed", mend)
    return passed(expected, f"{policy.setting}, {tries} in a row")


@check("platform.resource-limits", severity=Severity.MAJOR, evidence=Evidence.PROBE, target="platform")
def resource_limits(subject: Subject) -> Finding:
    bounds = subject.environment.platform.limits
    wanted = {
        Resource.MEMORY: bounds.memory_mib and (bounds.memory_mib[0] * 1024**2, bounds.memory_mib[1] * 1024**2),
        Resource.OPEN_FILES: bounds.open_files,
    }
    return judge_limits(subject.site.platform.limits(), wanted)


def judge_limits(limits: Sequence[Limit], wanted: Mapping[Resource, tuple[int, int] | None]) -> Finding:
    """Whether each limit is set and inside its bounds, in bytes or pieces; what has none declared is only shown."""
    declared = {resource: pair for resource, pair in wanted.items() if pair}
    if not declared:
        expected = "the platform's limits are inside the inventory's bounds"
        return unknown(expected, "no bounds are declared", "declare platform.limits.memory_mib and .open_files")
    told = [
        f"{resource} {amount(low, resource)} to {amount(high, resource)}" for resource, (low, high) in declared.items()
    ]
    expected = f"limits: {', '.join(told)}"
    found, bad = [], False
    for limit in limits:
        pair = declared.get(limit.resource)
        outside = pair is not None and not (limit.most is not None and pair[0] <= limit.most <= pair[1])
        bad = bad or outside
        set_to = "no limit" if limit.most is None else amount(limit.most, limit.resource)
        found.append(f"{limit.resource} {set_to} ({limit.setting}{', out of bounds' if outside else ''})")
    text = ", ".join(found)
    if bad:
        return failed(expected, text, "set the limit where the application is started, then restart it")
    return passed(expected, text)
