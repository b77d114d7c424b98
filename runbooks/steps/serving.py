"""Puts a release to work on the hosts beside the one that serves, lets it prove itself, and sends the traffic there."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from runbooks.checks.health import database_problem, health_problem
from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.engine.step import Scope, State
from runbooks.systems.http.client import HttpClient
from runbooks.systems.platform.hosting import Hosting, HostState, Placement, Release, Slot

ANSWERS = 3
"""So many good answers in a row, and the release is well."""
SECONDS_TO_BE_WELL = 60.0
BETWEEN_ANSWERS = 0.2


@dataclass(frozen=True)
class Serving:
    """A release that is to serve.

    Attributes:
        variables: What it is started with.
        public: The application's public address.
    """

    run: str
    hosting: Hosting
    release: Release
    fingerprint: str
    variables: Mapping[str, Secret]
    public: HttpClient

    def ours(self, state: HostState) -> Slot:
        """The slot of a host that this run uses."""
        for slot, found in state.slots.items():
            if found.placement and found.placement.run == self.run:
                return slot
        return state.idle

    def states(self) -> Mapping[str, HostState]:
        """All hosts. Raises SystemFault if one can't be asked: a rollback does not leave two releases at work."""
        found = self.hosting.observe_all()
        for state in found.values():
            if isinstance(state, SystemFault):
                raise state
        return {host: state for host, state in found.items() if isinstance(state, HostState)}


class Serves(Protocol):
    """Whatever has a release to put to work."""

    serving: Serving


def look(work: Serves) -> str:
    """What serves now. Raises SystemFault if a host can't be asked."""
    serving = work.serving
    told = []
    for host, state in serving.states().items():
        now = state.serving.release.id if state.serving else "nothing"
        kept = "is there" if serving.release in state.releases else "is built first"
        told.append(f"{host} serves {now}, {serving.release.id} {kept}")
    return "; ".join(told)


def claim(work: Serves, scope: Scope) -> str:
    """Have every host refuse whoever holds an older lease."""
    changes = work.serving.hosting.changes(scope.token)
    for host in work.serving.hosting.hosts:
        changes.claim(host)
    return f"{len(work.serving.hosting.hosts)} hosts know lease {scope.token}"


def build(work: Serves, scope: Scope) -> str:
    """Have the release's folder on every host; one that was kept is left as it is."""
    serving = work.serving
    changes = serving.hosting.changes(scope.token)
    seconds = sum(changes.build(host, serving.release, say=scope.say).seconds for host in serving.hosting.hosts)
    return f"{serving.release.id} is on every host" + (f"; built in {seconds:.0f} s" if seconds else "; it was kept")


def built(work: Serves, _scope: Scope) -> bool:
    return all(work.serving.release in state.releases for state in work.serving.states().values())


def place(work: Serves, scope: Scope) -> str:
    """Put it into the idle slot of every host, with today's variables; nothing is started."""
    serving = work.serving
    changes = serving.hosting.changes(scope.token)
    placement = Placement(serving.release, scope.run, serving.fingerprint)
    used = []
    for host, state in serving.states().items():
        slot = serving.ours(state)
        if state.slots[slot].placement != placement:
            changes.stop(host, slot)
            changes.place(host, slot, placement, serving.variables)
        used.append(f"{host}/{slot}")
    return f"{serving.release.id} lies in {', '.join(used)}"


def placed(work: Serves, _scope: Scope) -> bool:
    serving = work.serving
    return all(
        (found := state.slots[serving.ours(state)].placement) is not None
        and (found.run, found.release) == (serving.run, serving.release)
        for state in serving.states().values()
    )


def start(work: Serves, scope: Scope) -> str:
    """Start it there."""
    serving = work.serving
    changes = serving.hosting.changes(scope.token)
    for host, state in serving.states().items():
        changes.start(host, serving.ours(state))
    return f"{serving.release.id} runs beside what serves"


def started(work: Serves, scope: Scope) -> bool:
    serving = work.serving
    states = serving.states().values()
    return placed(work, scope) and all(state.slots[serving.ours(state)].running for state in states)


def stop(work: Serves, scope: Scope) -> str:
    """Take `start` back."""
    serving = work.serving
    changes = serving.hosting.changes(scope.token)
    for host, state in serving.states().items():
        slot = serving.ours(state)
        found = state.slots[slot].placement
        if found and found.run == serving.run and state.active is not slot:
            changes.stop(host, slot)
    return "it does not run beside any more"


def gate(work: Serves, scope: Scope) -> str:
    """Ask the started release itself, on every host, until it answers well several times in a row.

    Raises:
        SystemFault: it does not within its time; with the last lines of its log.
    """
    serving = work.serving
    for host, state in serving.states().items():
        slot = serving.ours(state)
        with serving.hosting.reach(host, slot) as url, HttpClient(url) as client:
            try:
                _well(client, scope)
            except SystemFault as fault:
                log = " | ".join(serving.hosting.log_of(host, slot, lines=10).splitlines())
                raise SystemFault(
                    "the release does not become well",
                    reason=fault.reason,
                    where=f"{host}/{slot}",
                    found=f"{fault.what}: {fault.found}; its log: {log}",
                    mend="nothing was sent to it yet; see what it lacks",
                ) from fault
    return f"{ANSWERS} good answers in a row from every host's own slot"


def switch(work: Serves, scope: Scope) -> str:
    """Send the traffic there, host after host."""
    serving = work.serving
    changes = serving.hosting.changes(scope.token)
    for host, state in serving.states().items():
        changes.switch(host, serving.ours(state))
    return f"requests go to {serving.release.id}"


def switched(work: Serves, scope: Scope) -> bool:
    serving = work.serving
    return placed(work, scope) and all(state.active is serving.ours(state) for state in serving.states().values())


def active(work: Serves) -> State:
    """Where the traffic goes before the switch, for the way back."""
    return {host: str(state.active) if state.active else "" for host, state in work.serving.states().items()}


def switch_back(work: Serves, scope: Scope) -> str:
    """Send the traffic where it went before; what ran there is started if it was stopped."""
    changes = work.serving.hosting.changes(scope.token)
    for host, slot in scope.before.items():
        if slot:
            changes.start(host, Slot(slot))
            changes.switch(host, Slot(slot))
    return "requests go where they went before"


def verify(work: Serves, scope: Scope) -> str:
    """Ask as users do, through everything in front, until it answers well several times in a row."""
    _well(work.serving.public, scope)
    return f"{ANSWERS} good answers in a row from {work.serving.public}"


def retire(work: Serves, scope: Scope) -> str:
    """Stop what served before."""
    serving = work.serving
    changes = serving.hosting.changes(scope.token)
    for host, state in serving.states().items():
        changes.stop(host, serving.ours(state).other)
    return "what served before is stopped; it stays in its slot"


def retired(work: Serves, _scope: Scope) -> bool:
    serving = work.serving
    return not any(state.slots[serving.ours(state).other].running for state in serving.states().values())


def plan(work: Serves) -> Iterable[str]:
    """What would be put to work."""
    yield look(work)


def _well(client: HttpClient, scope: Scope) -> None:
    deadline, good, problem = time.monotonic() + SECONDS_TO_BE_WELL, 0, "it was not asked"
    while good < ANSWERS:
        problem = _problem(client)
        good = 0 if problem else good + 1
        if problem and (time.monotonic() > deadline or scope.stopping):
            raise SystemFault("its health page is not well", reason=Reason.TIMED_OUT, where=str(client), found=problem)
        if good < ANSWERS:
            scope.stop_event.wait(BETWEEN_ANSWERS)


def _problem(client: HttpClient) -> str:
    try:
        return health_problem(client.get("/health")) or database_problem(client.get("/health/db"))
    except SystemFault as fault:
        return f"{fault.what} ({fault.found})" if fault.found else fault.what
