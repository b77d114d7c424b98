"""Refuses tables of ``[platform]`` that no platform can have."""

from __future__ import annotations

from collections.abc import Iterator

from runbooks.environment.hosting import WorkerPlan, service_problems
from runbooks.environment.model import Platform, PlatformKind
from runbooks.environment.problem import Problem, did_you_mean

SERVICE = ("platform", "service")
HOSTS = ("platform", "hosts")


def platform_problems(platform: Platform) -> Iterator[Problem]:
    """Everything wrong with the table whose keys and types are right."""
    yield from _service(platform)
    yield from _hosts(platform)
    yield from _worker_plan(platform)
    yield from _bounds(platform)
    seconds = platform.build_timeout_seconds
    if seconds is not None and seconds < 1:
        what = "'platform.build_timeout_seconds' must be at least 1"
        yield Problem(("platform", "build_timeout_seconds"), what, found=f"the number {seconds}")


def _service(platform: Platform) -> Iterator[Problem]:
    service = platform.service
    if service is None:
        return
    if platform.kind is not PlatformKind.HOSTS:
        what = f"'platform.service' has no use with kind = \"{platform.kind}\""
        yield Problem(SERVICE, what, mend='remove it, or set kind = "hosts"')
    else:
        yield from service_problems(SERVICE, service)


def _hosts(platform: Platform) -> Iterator[Problem]:
    hosts = platform.hosts
    if hosts is None:
        return
    if platform.kind is not PlatformKind.HOSTS:
        what = f"'platform.hosts' has no use with kind = \"{platform.kind}\""
        yield Problem(HOSTS, what, mend='remove it, or set kind = "hosts"')
    elif platform.service is None:
        what = "'platform.hosts' needs 'platform.service'"
        yield Problem(HOSTS, what, mend="declare what keeps the application running there")
    if len(set(hosts.names)) < len(hosts.names):
        yield Problem((*HOSTS, "names"), "'platform.hosts.names' names a host twice", mend="name each host once")
    for key in ("root", "install"):
        path = getattr(hosts, key)
        if hosts.names and path is not None and not path.is_absolute():
            what = f"'platform.hosts.{key}' lies on other machines, where no path can begin at this project's folder"
            yield Problem((*HOSTS, key), what, found=repr(str(path)[:60]), mend="write it from / on, as it is there")
    for key, least in (("keep", 1), ("canaries", 1), ("batch", 1), ("failures", 0)):
        number = getattr(hosts, key)
        if number < least:
            what = f"'platform.hosts.{key}' must be at least {least}"
            yield Problem((*HOSTS, key), what, found=f"the number {number}")


def _worker_plan(platform: Platform) -> Iterator[Problem]:
    plan = platform.worker_plan
    words = [str(each) for each in WorkerPlan]
    if isinstance(plan, str) and plan not in words:
        yield Problem(
            ("platform", "worker_plan"),
            f"'platform.worker_plan' must be one of {', '.join(repr(word) for word in words)}",
            found=repr(plan[:40]),
            mend=did_you_mean(plan, words) or 'or name where it is kept: { secret = "WORKER_PLAN" }',
        )


def _bounds(platform: Platform) -> Iterator[Problem]:
    bounds = {"memory_mib": platform.limits.memory_mib, "open_files": platform.limits.open_files}
    for key, pair in bounds.items():
        if pair is not None and not 1 <= pair[0] <= pair[1]:
            yield Problem(
                ("platform", "limits", key),
                f"'platform.limits.{key}' must be the lowest and the highest that is accepted",
                found=f"{pair[0]} and {pair[1]}",
                mend="write the lower number first, at least 1",
            )
