"""Who can reach the database's server."""

from __future__ import annotations

from runbooks.checks.declare import check
from runbooks.checks.network import Door, exposure, hosts, only_addresses
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed, unknown
from runbooks.environment.model import Reach


@check("postgres.not-public", severity=Severity.CRITICAL, evidence=Evidence.PROBE, target="postgres")
def not_public(subject: Subject) -> Finding:
    site, declared = subject.site, subject.environment.database
    expected = f"the database answers only in {', '.join(declared.networks) or 'private networks'}"
    if declared.reach is Reach.PROXY:
        mend = 'remove the public proxy, and reach it from inside the network (database.reach = "runner")'
        return failed(expected, "it is reached through a public proxy (database.reach)", mend)
    listens = site.database.value("SELECT current_setting('listen_addresses', true)")
    door = Door(
        hosts=hosts(site.database.url, site.variable("DATABASE_URL")),
        port=site.database.port,
        listens=None if listens is None else [part.strip() for part in str(listens).split(",") if part.strip()],
        declared=declared.networks,
        outside=only_addresses(subject.environment.domain.points_to),
    )
    found = exposure(door)
    if found.problem:
        mend = "set listen_addresses to the private address, close the port to others, and remove public proxies"
        return failed(expected, found.problem, mend)
    if found.unseen:
        mend = "declare database.networks, and in domain.points_to the addresses of the machines"
        return unknown(expected, found.unseen, mend)
    return passed(expected, found.seen)
