"""Who keeps the database's server running."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from runbooks.checks.declare import check
from runbooks.checks.managed import Server, judge
from runbooks.checks.network import hosts
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity


@check("postgres.managed", severity=Severity.MAJOR, evidence=Evidence.PROBE, target="postgres")
def managed(subject: Subject) -> Finding:
    site, declared = subject.site, subject.environment.database.managed

    def since() -> datetime:
        return cast("datetime", site.database.value("SELECT pg_postmaster_start_time()"))

    reached = hosts(site.variable("DATABASE_URL")) or hosts(site.database.url)
    server = Server("PostgreSQL", "database.managed", reached, since)
    return judge(server, declared, subject.environment.platform.hosts)
