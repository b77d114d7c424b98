"""The platform port, its writing half for hosts: two slots on each machine, releases in folders, one atomic switch.

A host is in one of few states, and `Hosting.observe` tells which: what lies in each slot, what runs, where requests
go. A runbook's ``done`` compares that with what it wants, so it need not remember what it did:

    state = hosting.observe(host)
    change = hosting.changes(token)        the lease's fencing token: a holder who wakes up late is refused by the host
    change.build(host, release, say=…)     the commit's tree and its virtual environment, whole or not there
    change.place(host, state.idle, Placement(release, run, fingerprint), variables)
    change.run_in_release(host, release, ("alembic", "upgrade", "head"), variables)
    change.start(host, state.idle)
    with hosting.reach(host, state.idle) as url: ...       the gate asks the idle slot itself
    change.switch(host, state.idle)        no request is dropped: see `Changes.switch`
    change.stop(host, state.active)

Everything here may be repeated: what is done already is left as it is. Unless it says otherwise, every method raises
SystemFault where the host can't be reached (UNREACHABLE, TIMED_OUT), does not let us in (UNAUTHORISED) or does not do
what was asked (FAILED); and every method of `Changes` raises LeaseLost, with nothing done, where the host has seen a
newer token.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from runbooks.engine.errors import SystemFault
from runbooks.engine.secret import Secret


class Slot(enum.StrEnum):
    """One of the two places in which a release can run on a host."""

    BLUE = "blue"
    GREEN = "green"

    @property
    def other(self) -> Slot:
        """The one that this is not."""
        return Slot.GREEN if self is Slot.BLUE else Slot.BLUE


@dataclass(frozen=True, slots=True)
class Release:
    """A release as it lies on a host.

    Attributes:
        id: Its folder's name: lower-case letters, digits, ``.``, ``_`` and ``-``, at most 64 characters. Never given to
            another build: what runs under this id is what was built under it, with the dependencies of that day.
        commit: The full id of its git commit.
    """

    id: str
    commit: str


@dataclass(frozen=True, slots=True)
class Placement:
    """What was put into a slot.

    Attributes:
        release: The release.
        run: The run that put it there.
        fingerprint: A keyed hash of its variables (`Site.variables_fingerprint`), to tell settings apart; may be empty.
    """

    release: Release
    run: str
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class SlotState:
    """A slot as it is.

    Attributes:
        slot: Which one.
        address: Where whatever runs in it listens on its own host, ``ADDRESS:PORT``; the same for ever.
        placement: What lies in it; None: nothing, or what a killed run put there in part.
        pid: The process that the process manager started there; None: nothing runs.
        stays: Whether the process manager starts it again when it ends: it was started and not stopped.
    """

    slot: Slot
    address: str
    placement: Placement | None
    pid: int | None
    stays: bool

    @property
    def running(self) -> bool:
        """Whether a process runs there. That is not healthy: ask it."""
        return self.pid is not None


@dataclass(frozen=True, slots=True)
class HostState:
    """A host as it is.

    Attributes:
        host: Its name.
        active: The slot that requests go to; None before the first switch.
        slots: Both.
        releases: Those that are whole, by the time at which they were built, oldest first.
        free_bytes: Room for more of them.
        token: The newest fencing token that the host has seen; 0: none.
    """

    host: str
    active: Slot | None
    slots: Mapping[Slot, SlotState]
    releases: tuple[Release, ...]
    free_bytes: int
    token: int

    @property
    def idle(self) -> Slot:
        """The slot that the next release goes into."""
        return self.active.other if self.active else Slot.BLUE

    @property
    def serving(self) -> Placement | None:
        """What answers requests; None: nothing does."""
        return self.slots[self.active].placement if self.active else None


@dataclass(frozen=True, slots=True)
class Built:
    """A release that is whole on a host.

    Attributes:
        release: Which.
        started: When its build began.
        seconds: How long that took; 0 where it had been built before.
        log: Where its output is, on the host.
    """

    release: Release
    started: datetime
    seconds: float
    log: str


class Changes(Protocol):
    """What a run that holds the lease may do to hosts. Every method raises LeaseLost once a newer holder was there."""

    def claim(self, host: str) -> None:
        """Have the host know our token, so that it refuses everybody who holds an older one from now on."""

    def build(self, host: str, release: Release, *, say: Callable[[str], None], seconds: float = 600) -> Built:
        """Have the release on the host: its commit's files, a virtual environment, what its build command makes.

        Sent as one compressed stream and built aside; the folder appears once all of it is there and on disk. What an
        earlier attempt left half done is cleared away. The build is recorded among `Platform.builds`, failed ones too.

        Raises:
            InputError: the repository has no such commit, or the id is no folder's name.
            SystemFault: FAILED with the last lines of its log; also where another commit was built under this id.
        """

    def place(self, host: str, slot: Slot, placement: Placement, variables: Mapping[str, Secret]) -> None:
        """Put a release and its variables into a slot, to be started from there; nothing is started.

        The variables become an owner-only file on the host; HOST and PORT are the slot's own, whatever they say here.

        Raises:
            SystemFault: REFUSED where the slot runs or is the active one with another placement, FAILED where the
                release is not on the host.
        """

    def start(self, host: str, slot: Slot, *, seconds: float = 30) -> None:
        """Have what lies in the slot running, by its release's own start command, kept up by the process manager.

        Returns once it listens; whether it is healthy is for the gate to judge.

        Raises:
            SystemFault: REFUSED where nothing lies there or a stranger listens at its address; FAILED where it ended
                by itself, with the last lines of its log; TIMED_OUT.
        """

    def stop(self, host: str, slot: Slot, *, seconds: float = 60) -> None:
        """Have nothing running in the slot, also not after a reboot: SIGTERM, and SIGKILL after the manager's time.

        Raises:
            SystemFault: REFUSED for the active slot.
        """

    def switch(self, host: str, slot: Slot) -> None:
        """Send the host's next requests to this slot, by one atomic rename; those that are being answered end in peace.

        Caddy reads the address at each request (``{file.…}``) and is never reloaded, so no connection is cut.

        Raises:
            SystemFault: REFUSED where nothing listens in the slot; UNREACHABLE where the proxy does not answer: a
                switch would then show nobody what was switched to.
        """

    def run_in_release(
        self,
        host: str,
        release: Release,
        argv: Sequence[str],
        variables: Mapping[str, Secret],
        *,
        seconds: float = 60,
    ) -> str:
        """Run a program in the release's folder and virtual environment with these variables; what it printed.

        The variables reach it through its standard input's shell, not through a file or arguments. It ends with us: if
        this process or the connection dies, it is sent SIGTERM.

        Raises:
            SystemFault: FAILED with the last lines of what it printed; TIMED_OUT, when it was ended.
        """

    def remove_old(self, host: str, *, keep: int, needed: Collection[str]) -> tuple[str, ...]:
        """Delete releases but for the newest ``keep``, those in a slot and those whose ids are needed; which.

        What killed builds left is deleted too.
        """


class Hosting(Protocol):
    """The hosts that run the application."""

    @property
    def hosts(self) -> tuple[str, ...]:
        """Their names in the order in which they are changed; the first ones are the canaries."""

    def observe(self, host: str) -> HostState:
        """The host as it is now."""

    def serving(self, host: str) -> Placement | None:
        """What requests go to there; None: nothing. Asks the host's files only, not its process manager."""

    def variables(self, host: str, slot: Slot) -> Mapping[str, Secret]:
        """What was put into a slot to start its program with; nothing where nothing was. To be masked."""

    def started_with(self, host: str, slot: Slot) -> Mapping[str, Secret]:
        """What the process that runs in a slot was really started with, as its kernel tells; nothing where none runs.

        To be masked. It may be asked of programs of the user that we log in as.
        """

    def observe_all(self) -> Mapping[str, HostState | SystemFault]:
        """All of them, asked at once; for one that can't be asked, why. Mixed versions are told as they are."""

    def reach(self, host: str, slot: Slot) -> AbstractContextManager[str]:
        """The slot's URL as seen from this machine, for the time of a block: over SSH a tunnel ends with it."""

    def log_of(self, host: str, slot: Slot, *, lines: int = 40) -> str:
        """The last lines of what the slot's program wrote. They may hold secrets: mask them before they are shown."""

    def changes(self, token: int) -> Changes:
        """What may be done under this fencing token."""

    def close(self) -> None:
        """Close the connections that were opened."""
