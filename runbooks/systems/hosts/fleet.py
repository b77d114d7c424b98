"""The hosting port over any number of hosts: this machine, or several over SSH; the same code for both."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from runbooks.engine.errors import InputError, SystemFault
from runbooks.engine.secret import Secret
from runbooks.systems.hosts.slot_host import SlotHost
from runbooks.systems.platform.hosting import Built, HostState, Placement, Release, Slot

WIDTH = 8
"""Hosts that are asked at once: sshd and bastions begin to drop log-ins at random above ten at a time."""


@dataclass(frozen=True)
class Fleet:
    """See `Hosting`."""

    members: Mapping[str, SlotHost]

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(self.members)

    def observe(self, host: str) -> HostState:
        return self.member(host).observe()

    def serving(self, host: str) -> Placement | None:
        seen = self.member(host).seen()
        return seen.placements[seen.active] if seen.active else None

    def variables(self, host: str, slot: Slot) -> Mapping[str, Secret]:
        return self.member(host).variables(slot)

    def started_with(self, host: str, slot: Slot) -> Mapping[str, Secret]:
        return self.member(host).started_with(slot)

    def observe_all(self) -> Mapping[str, HostState | SystemFault]:
        def look(host: str) -> HostState | SystemFault:
            try:
                return self.observe(host)
            except SystemFault as fault:
                return fault

        with ThreadPoolExecutor(min(WIDTH, len(self.members))) as pool:
            return dict(zip(self.members, pool.map(look, self.members), strict=True))

    @contextmanager
    def reach(self, host: str, slot: Slot) -> Iterator[str]:
        member = self.member(host)
        with member.access.reach(member.seen().addresses[slot]) as address:
            yield f"http://{address}"

    def log_of(self, host: str, slot: Slot, *, lines: int = 40) -> str:
        return self.member(host).log(slot, lines)

    def changes(self, token: int) -> FleetChanges:
        return FleetChanges(self, token)

    def close(self) -> None:
        for member in self.members.values():
            member.access.close()

    def member(self, host: str) -> SlotHost:
        """The host of this name.

        Raises:
            InputError: there is none.
        """
        try:
            return self.members[host]
        except KeyError:
            mend = f"one of {', '.join(self.members)}"
            raise InputError("that is no host of this environment", found=host, mend=mend) from None


@dataclass(frozen=True)
class FleetChanges:
    """See `Changes`."""

    fleet: Fleet
    token: int

    def claim(self, host: str) -> None:
        self.fleet.member(host).claim(self.token)

    def build(self, host: str, release: Release, *, say: Callable[[str], None], seconds: float = 600) -> Built:
        return self.fleet.member(host).build(self.token, release, seconds=seconds, say=say)

    def place(self, host: str, slot: Slot, placement: Placement, variables: Mapping[str, Secret]) -> None:
        self.fleet.member(host).place(self.token, slot, placement, variables)

    def start(self, host: str, slot: Slot, *, seconds: float = 30) -> None:
        self.fleet.member(host).start(self.token, slot, seconds)

    def stop(self, host: str, slot: Slot, *, seconds: float = 60) -> None:
        self.fleet.member(host).stop(self.token, slot, seconds)

    def switch(self, host: str, slot: Slot) -> None:
        self.fleet.member(host).switch(self.token, slot)

    def run_in_release(
        self,
        host: str,
        release: Release,
        argv: Sequence[str],
        variables: Mapping[str, Secret],
        *,
        seconds: float = 60,
    ) -> str:
        return self.fleet.member(host).run_in_release(self.token, release, argv, variables, seconds)

    def remove_old(self, host: str, *, keep: int, needed: Collection[str]) -> tuple[str, ...]:
        return self.fleet.member(host).remove_old(self.token, keep=keep, needed=needed)
