"""Who keeps a server running that the application stands on: ``[database.managed]`` and ``[redis.managed]``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runbooks.environment.hosting import Supervised, service_problems
from runbooks.environment.locate import Path as KeyPath
from runbooks.environment.problem import Problem, did_you_mean, dotted

OWN = "own"
"""Nobody is paid for it: a process manager of ours keeps it running."""

PROVIDERS: Mapping[str, tuple[str, ...]] = {
    "aiven": (".aivencloud.com",),
    "aws": (".rds.amazonaws.com", ".cache.amazonaws.com"),
    "azure": (".postgres.database.azure.com", ".redis.cache.windows.net", ".redis.azure.net"),
    "crunchy": (".postgresbridge.com",),
    "digitalocean": (".db.ondigitalocean.com",),
    "neon": (".neon.tech",),
    "railway": (".railway.internal", ".rlwy.net"),
    "redis-cloud": (".redislabs.com", ".redis-cloud.com"),
    "render": (".postgres.render.com", ".keyvalue.render.com"),
    "supabase": (".supabase.co", ".supabase.com"),
    "upstash": (".upstash.io",),
}
"""The ends of the names under which providers give out their servers, as their consoles show them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Managed:
    """Who keeps a server running.

    Attributes:
        by: One of `PROVIDERS`, or `OWN`.
        hosts: Names and addresses that the server has besides those that end as its provider's do.
        service: Of `OWN`: what keeps it running, on the first of the hosts that are deployed to.
    """

    by: str
    hosts: tuple[str, ...] = ()
    service: Supervised | None = None

    def owns(self, host: str) -> bool:
        """Whether a server of this name is the one that is meant."""
        return host in self.hosts or host.endswith(PROVIDERS.get(self.by, ()))


def provider_of(host: str) -> str | None:
    """Whose server has a name like that; None: nobody's that is known."""
    return next((name for name, ends in PROVIDERS.items() if host.endswith(ends)), None)


def problems(database: Managed | None, redis: Managed | None) -> Iterator[Problem]:
    """What these tables can't say."""
    for path, managed in ((("database", "managed"), database), (("redis", "managed"), redis)):
        if managed is not None:
            yield from _problems(path, managed)


def _problems(path: KeyPath, managed: Managed) -> Iterator[Problem]:
    if managed.by not in (*PROVIDERS, OWN):
        yield Problem(
            (*path, "by"),
            f"'{dotted((*path, 'by'))}' names no provider that is known",
            found=repr(managed.by[:40]),
            mend=did_you_mean(managed.by, [*PROVIDERS, OWN]) or f"one of {', '.join([*PROVIDERS, OWN])}",
        )
        return
    if managed.by == OWN:
        for key in ("hosts", "service"):
            if not getattr(managed, key):
                what = f"missing key '{dotted((*path, key))}' for by = \"{OWN}\""
                yield Problem((*path, key), what, mend="say which server that is, and what keeps it running")
    elif managed.service is not None:
        what = f"'{dotted((*path, 'service'))}' has no use with by = \"{managed.by}\""
        yield Problem((*path, "service"), what, mend=f'remove it, or set by = "{OWN}"')
    if managed.service is not None:
        yield from service_problems((*path, "service"), managed.service)
