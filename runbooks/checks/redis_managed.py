"""Who keeps Redis running."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from runbooks.checks.declare import check
from runbooks.checks.managed import Server, judge
from runbooks.checks.network import hosts
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity


@check("redis.managed", severity=Severity.MAJOR, evidence=Evidence.PROBE, target="redis")
def managed(subject: Subject) -> Finding:
    site, declared = subject.site, subject.environment.redis.managed

    def since() -> datetime:
        return datetime.now(UTC) - timedelta(seconds=int(site.redis.info("server")["uptime_in_seconds"]))

    server = Server("Redis", "redis.managed", hosts(site.variable("REDIS_URL")) or hosts(site.redis.url), since)
    return judge(server, declared, subject.environment.platform.hosts)
