"""A release onto the hosts, into the idle slot, to the front, and the one before it to rest."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.step import Scope
from runbooks.steps.deploying import Deploying
from runbooks.steps.gate import IN_A_ROW, PATIENCE, problem_of
from runbooks.steps.rolling import change_all, take_back_all
from runbooks.steps.serving import Serving
from runbooks.systems.http.client import HttpClient
from runbooks.systems.platform.hosting import Changes, HostState, Slot
from runbooks.systems.releases.record import Kind

START_SECONDS = 300.0
"""Railway gives a release as long."""

STOP_SECONDS = 60.0


def claim(work: Serving, scope: Scope) -> str:
    """Have every host refuse whoever holds an older lease."""
    changes = work.hosting.changes(scope.token)
    for host in work.hosting.hosts:
        changes.claim(host)
    return f"{', '.join(work.hosting.hosts)}: whoever holds an older lease than {scope.token} is refused"


def build(work: Serving, scope: Scope) -> str:
    """Have the release on every host."""
    changes = work.hosting.changes(scope.token)

    def one(host: str) -> str:
        built = changes.build(host, work.wanted, seconds=scope.remaining(), say=scope.say)
        scope.record("built", host=host, release=work.wanted.id, seconds=built.seconds, log=built.log)
        return f"{host} in {built.seconds:.1f} s" if built.seconds else f"{host} had it"

    return f"{work.wanted.id} on {', '.join(change_all(work, scope, one))}"


def is_built(work: Serving, _scope: Scope) -> bool:
    return work.everywhere(lambda state: work.wanted in state.releases)


def plan_build(work: Serving) -> Iterator[str]:
    """Where it goes."""
    yield f"commit {work.wanted.commit} to {', '.join(work.hosting.hosts)}"


def noted(work: Serving) -> dict[str, Any]:
    """Which slot the requests went to on each host that can be asked; another one is left out, or the step fails."""
    found = {host: state for host, state in work.hosting.observe_all().items() if isinstance(state, HostState)}
    return {"active": {host: state.active and state.active.value for host, state in found.items()}}


def place(work: Serving, scope: Scope) -> str:
    """Put it into the idle slot of every host, with today's variables; nothing is started."""
    changes = work.hosting.changes(scope.token)
    return f"it lies in {', '.join(change_all(work, scope, lambda host: f'{_place(work, changes, host)} of {host}'))}"


def placed(work: Serving, _scope: Scope) -> bool:
    return work.everywhere(lambda state: _lies(work, state))


def start(work: Serving, scope: Scope) -> str:
    """Start it in the idle slot of every host, where nobody is sent yet."""
    changes = work.hosting.changes(scope.token)

    def one(host: str) -> str:
        slot = _place(work, changes, host)
        try:
            changes.start(host, slot, seconds=min(scope.remaining(), START_SECONDS))
        except SystemFault as fault:
            if fault.reason is Reason.FAILED:
                work.blame = f"it ends by itself: {fault.found[-200:]}"
            raise
        return f"{slot} of {host}"

    return f"it runs in {', '.join(change_all(work, scope, one))}"


def started(work: Serving, _scope: Scope) -> bool:
    """Whether it runs on every host."""
    return work.everywhere(lambda state: _lies(work, state) and state.slots[work.slot(state)].running)


def stop_again(work: Serving, scope: Scope) -> str:
    """Stop it wherever requests do not go to it.

    Raises:
        SystemFault: they still do, where something else ran before; or a host can't be reached.
    """
    changes = work.hosting.changes(scope.token)

    def one(state: HostState) -> str:
        slot = work.ours(state)
        if slot is None:
            return ""
        if slot is state.active:
            if state.slots[slot.other].placement is None:
                return ""  # nothing ran here before, so it stays
            raise SystemFault("requests still go to it", reason=Reason.REFUSED, where=f"{slot} of {state.host}")
        changes.stop(state.host, slot, seconds=STOP_SECONDS)
        return f"{slot} of {state.host}"

    stopped = take_back_all(work, one)
    return f"stopped in {', '.join(stopped)}" if stopped else "it ran nowhere"


def switch(work: Serving, scope: Scope) -> str:
    """Send requests to it, the canaries first; those that were switched are looked at ahead of the next ones."""
    changes = work.hosting.changes(scope.token)

    def one(host: str) -> str:
        state = work.hosting.observe(host)
        slot = work.slot(state)
        if state.active is not slot:
            changes.switch(host, slot)
            scope.record("switched", host=host, to=slot.value, release=work.wanted.id)
        return host

    switched_on = change_all(work, scope, one, lambda host: _look(work, host))
    return f"requests go to {work.wanted.id} on {', '.join(switched_on)}"


def _look(work: Serving, host: str) -> None:
    slot = work.slot(work.hosting.observe(host))
    with work.hosting.reach(host, slot) as url, HttpClient(url, seconds=PATIENCE) as client:
        for _ in range(IN_A_ROW):
            problem = problem_of(client, "/health")
            if not problem:
                return
    raise work.prove(f"{slot} of {host} after the switch: {problem}")


def switched(work: Serving, _scope: Scope) -> bool:
    return work.everywhere(lambda state: state.active is not None and state.active is work.ours(state))


def switch_back(work: Serving, scope: Scope) -> str:
    """Send requests to what answered them before; it still runs, or is started again.

    Raises:
        SystemFault: it is so on all hosts that can be reached, and others could not be.
    """
    changes = work.hosting.changes(scope.token)

    def one(state: HostState) -> str:
        ours = work.ours(state)
        could = ours.other.value if ours and state.active is ours else None
        was = scope.before["active"].get(state.host, could)
        if was is None:
            return f"{state.host} had nothing before, so it stays"
        slot = Slot(was)
        if state.active is slot:
            return ""
        before = state.slots[slot].placement
        changes.start(state.host, slot)
        changes.switch(state.host, slot)
        scope.record("switched", host=state.host, to=slot.value, release=before.release.id if before else "")
        return f"{slot} of {state.host}"

    lines = take_back_all(work, one)
    return f"requests go back to {', '.join(lines)}" if lines else "they never went to it"


def confirm_back(work: Serving) -> str:
    """See that what a run did to the hosts is taken back. Where nothing ran before, the release goes on.

    Returns:
        Which hosts could not be asked; the run had not begun to send requests to its release.

    Raises:
        SystemFault: a host serves the release still, or may do so and can't be asked.
    """
    left = list[str]()
    for host, state in work.hosting.observe_all().items():
        if isinstance(state, SystemFault):
            left.append(f"{host} could not be asked: {state.what}")
        elif (slot := work.ours(state)) and slot is state.active and state.slots[slot.other].placement:
            left.append(f"{host} serves {work.wanted.id} still")
    if left and any("active" in each["before"] for each in work.all_noted("intent")):
        raise SystemFault(
            "it can't be said yet that this is over",
            reason=Reason.FAILED,
            found="; ".join(left),
            mend=f"have the hosts answer, then: invoke runs.abort {work.run}; release.status tells what each one runs",
        )
    return "; ".join(left)


def plan_switch(work: Serving) -> Iterator[str]:
    """From where to where."""
    for host, state in work.states().items():
        yield f"{host}: from {state.active or 'nowhere'} to {work.slot(state)}"


def rest(work: Serving, scope: Scope) -> str:
    """Stop what served before, which ends what it answers in peace; it stays in its slot."""
    if not work.said(Kind.DEPLOYED, Kind.ROLLED_BACK, Kind.UNDONE):
        return "what served before goes on: this release was not recorded"
    changes = work.hosting.changes(scope.token)
    for host, state in work.states().items():
        if state.active is not None:
            changes.stop(host, state.active.other, seconds=STOP_SECONDS)
    for host in work.left_out:
        with contextlib.suppress(SystemFault):  # it is out of order, and was named
            changes.stop(host, work.hosting.observe(host).idle, seconds=STOP_SECONDS)
    return "what served before is at rest"


def retire(work: Deploying, scope: Scope) -> str:
    """Stop what served before, and keep the builds that a rollback may want."""
    said = rest(work, scope)
    if not work.said(Kind.DEPLOYED):
        return said
    changes, removed = work.hosting.changes(scope.token), list[str]()
    hosts = work.site.environment.platform.hosts
    history = work.history()
    needed = {release.id for release in (history.current, history.previous_stable()) if release}
    for host in work.hosts:
        removed += changes.remove_old(host, keep=hosts.keep if hosts else 3, needed=needed)
    return said + (f"; {', '.join(removed)} removed" if removed else "")


def _place(work: Serving, changes: Changes, host: str) -> Slot:
    state = work.hosting.observe(host)
    slot = work.slot(state)
    if state.slots[slot].placement != work.placement:
        changes.stop(host, slot)  # what was put to work before that left there
        changes.place(host, slot, work.placement, work.variables)
    return slot


def _lies(work: Serving, state: HostState) -> bool:
    return state.slots[work.slot(state)].placement == work.placement
