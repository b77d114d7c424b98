"""Who can reach Redis."""

from __future__ import annotations

from runbooks.checks.declare import check
from runbooks.checks.network import Door, exposure, hosts, only_addresses
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed, unknown
from runbooks.engine.errors import Reason
from runbooks.environment.model import Reach


@check("redis.not-public", severity=Severity.CRITICAL, evidence=Evidence.PROBE, target="redis")
def not_public(subject: Subject) -> Finding:
    site, declared = subject.site, subject.environment.redis
    expected = f"Redis answers only in {', '.join(declared.networks) or 'private networks'}, in protected mode"
    if declared.reach is Reach.PROXY:
        mend = 'remove the public proxy, and reach it from inside the network (redis.reach = "runner")'
        return failed(expected, "it is reached through a public proxy (redis.reach)", mend)
    bind, protected = site.redis.setting("bind"), site.redis.setting("protected-mode")
    door = Door(
        hosts=hosts(site.redis.url, site.variable("REDIS_URL")),
        port=site.redis.port,
        listens=None if bind is None else bind.split(),
        declared=declared.networks,
        outside=only_addresses(subject.environment.domain.points_to),
    )
    found = exposure(door)
    if found.problem:
        mend = "set bind to the private address, close the port to others, and remove public proxies"
        return failed(expected, found.problem, mend)
    if protected == "no":
        mend = "CONFIG SET protected-mode yes, and the same in its configuration file"
        return failed(expected, "protected-mode is no: without a password it would answer everybody", mend)
    if found.unseen:
        mend = "declare redis.networks, and in domain.points_to the addresses of the machines"
        return unknown(expected, found.unseen, mend)
    if protected is None:
        mend = "see the provider's console, or let this user ask CONFIG GET"
        return unknown(expected, f"{found.seen}; protected-mode can't be asked", mend, Reason.UNAUTHORISED)
    return passed(expected, f"{found.seen}; protected-mode is {protected}")
