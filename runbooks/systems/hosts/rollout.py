"""Several hosts, one after another: canaries, then batches, and an absolute number of failures after which it stops.

A percentage would round to nothing on the few hosts that an application like this has, so the budget is a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from runbooks.engine.errors import SystemFault
from runbooks.systems.platform.hosting import HostState, Release


@dataclass(frozen=True, slots=True)
class Plan:
    """In which order hosts are changed.

    Attributes:
        canaries: How many are changed first, each by itself.
        batch: How many of the others are changed at once.
        failures: How many may fail before no further one is begun.
    """

    canaries: int = 1
    batch: int = 1
    failures: int = 0

    def waves(self, hosts: Sequence[str]) -> tuple[tuple[str, ...], ...]:
        """The hosts in the order in which they are changed; those of one wave at once."""
        first, rest = hosts[: self.canaries], hosts[self.canaries :]
        starts = range(0, len(rest), self.batch)
        return (*((host,) for host in first), *(tuple(rest[begin : begin + self.batch]) for begin in starts))


@dataclass(frozen=True, slots=True)
class Rollout:
    """What became of each host.

    Attributes:
        changed: Those that are done, in the order in which they were begun.
        failed: Why the others failed.
        untouched: Those that were not begun, because too many had failed or somebody asked to stop.
    """

    changed: tuple[str, ...]
    failed: Mapping[str, SystemFault]
    untouched: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether every host is done."""
        return not self.failed and not self.untouched


def roll(
    waves: Sequence[Sequence[str]],
    change: Callable[[str], object],
    *,
    failures: int,
    stopping: Callable[[], bool] = lambda: False,
    after_wave: Callable[[Sequence[str]], object] = lambda _: None,
) -> Rollout:
    """Change host after host until all are done or too many have failed.

    A wave that was begun is finished: half a host would be worse than one too many.

    Args:
        change: Changes one host. Only a SystemFault counts as that host's failure; what else it raises, such as a
            lost lease, ends all of it at once.
        failures: See `Plan.failures`.
        stopping: Whether to begin no further wave.
        after_wave: Looks at a wave that is done, as a canary is looked at; a SystemFault begins no further one.
    """
    changed: list[str] = []
    failed: dict[str, SystemFault] = {}
    left = [host for wave in waves for host in wave]
    for wave in waves:
        if len(failed) > failures or stopping():
            break
        left = [host for host in left if host not in wave]
        for host, fault in zip(wave, _at_once(wave, change), strict=True):
            if fault is None:
                changed.append(host)
            else:
                failed[host] = fault
        try:
            after_wave(wave)
        except SystemFault as fault:
            failed |= dict.fromkeys((host for host in wave if host not in failed), fault)
            changed = [host for host in changed if host not in wave]
            break
    return Rollout(tuple(changed), failed, tuple(left))


def back(hosts: Sequence[str], undo: Callable[[str], object]) -> Rollout:
    """Take a change back, last host first. One that can't be reached does not keep the others from it."""
    changed: list[str] = []
    failed: dict[str, SystemFault] = {}
    for host in reversed(hosts):
        try:
            undo(host)
            changed.append(host)
        except SystemFault as fault:
            failed[host] = fault
    return Rollout(tuple(changed), failed, ())


def versions(states: Mapping[str, HostState | SystemFault]) -> Mapping[Release | None, tuple[str, ...]]:
    """Which hosts serve which release, as they are; None: nothing, or it can't be told. More than one key is mixed."""
    found: dict[Release | None, tuple[str, ...]] = {}
    for host, state in states.items():
        serving = None if isinstance(state, SystemFault) else state.serving
        release = serving.release if serving else None
        found[release] = (*found.get(release, ()), host)
    return found


def _at_once(wave: Sequence[str], change: Callable[[str], object]) -> list[SystemFault | None]:
    def one(host: str) -> SystemFault | None:
        try:
            change(host)
        except SystemFault as fault:
            return fault
        return None

    with ThreadPoolExecutor(len(wave)) as pool:
        return list(pool.map(one, wave))
