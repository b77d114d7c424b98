"""A change of every host: canaries, then batches, until the budget of failures is spent; and the way back from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.step import Scope
from runbooks.steps.serving import Serving
from runbooks.systems.hosts import rollout
from runbooks.systems.hosts.rollout import Rollout
from runbooks.systems.platform.hosting import HostState


def change_all(
    work: Serving,
    scope: Scope,
    change: Callable[[str], str],
    look: Callable[[str], object] = lambda _: None,
    *,
    may_fail: Callable[[SystemFault], bool] = lambda _: True,
) -> list[str]:
    """Change every host; what was said of each, in their order.

    A host that fails is left out from there on, and keeps what it runs, while the inventory's number of failures allows
    that. A canary is never left out, nor is a release that is ill where it serves passed over.

    Args:
        change: Changes one host. Several may be changed at the same time.
        look: Looks at a host that was changed, ahead of the next ones.
        may_fail: Whether a host may be left out for this.

    Raises:
        SystemFault: more hosts failed than may, a canary did, one did not look well, or somebody asked to stop.
    """
    said: dict[str, str] = {}
    ill: list[str] = []

    def one(host: str) -> None:
        said[host] = change(host)

    def seen(wave: Sequence[str]) -> None:
        for host in wave:
            if host in said:
                try:
                    look(host)
                except SystemFault:
                    ill.append(host)
                    raise

    hosts, plan, spare = work.hosts, work.rollout, work.spare
    done = rollout.roll(plan.waves(hosts), one, failures=spare, stopping=lambda: scope.stopping, after_wave=seen)
    if done.complete:
        return [said[host] for host in hosts]
    bearable = len(done.failed) <= spare and not done.untouched and not ill and bool(done.changed)
    if (
        not bearable
        or not {*hosts[: plan.canaries]}.isdisjoint(done.failed)
        or not all(map(may_fail, done.failed.values()))
    ):
        raise _incomplete(done, hosts)
    for host, fault in done.failed.items():
        work.leave_out(scope, host, fault)
        said[host] = f"not on {host}, which is left out: {fault.what}"
    work.blame = ""
    return [said[host] for host in hosts]


def take_back_all(work: Serving, undo: Callable[[HostState], str]) -> list[str]:
    """Take a change back on every host, last first; what was said, where something was.

    Raises:
        SystemFault: once all that can be reached are done, some could not. They are named, with what to type then.
    """
    said: list[str] = []
    states = work.hosting.observe_all()

    def one(host: str) -> None:
        state = states[host]
        if isinstance(state, SystemFault):
            raise state
        said.append(undo(state))

    done = rollout.back(work.hosting.hosts, one)
    if done.failed:
        left = ", ".join(done.failed)
        raise SystemFault(
            f"taken back on {', '.join(done.changed) or 'no host'}, but not on {left}",
            reason=next(iter(done.failed.values())).reason,
            where=left,
            found=_why(done),
            mend=f"have {left} answer, then: invoke runs.abort {work.run}; release.status tells what each host runs",
        )
    return [text for text in said if text]


def _incomplete(done: Rollout, hosts: Sequence[str]) -> SystemFault:
    if not done.failed:
        what = f"stopped before {', '.join(done.untouched)}"
        return SystemFault(what, reason=Reason.FAILED, found=f"done: {', '.join(done.changed) or 'no host'}")
    first = next(iter(done.failed.values()))
    if len(hosts) == 1:
        return first
    left = f"; {', '.join(done.untouched)} left as before" if done.untouched else ""
    return SystemFault(
        f"{len(done.failed)} of {len(hosts)} hosts failed{left}",
        reason=first.reason,
        where=", ".join(done.failed),
        found=_why(done),
        mend=first.mend,
    )


def _why(done: Rollout) -> str:
    return "\n         ".join(
        f"{host}: {fault.what}" + (f": {fault.found}" if fault.found else "") for host, fault in done.failed.items()
    )
