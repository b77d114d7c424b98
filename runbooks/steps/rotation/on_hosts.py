"""What runs with the variables on hosts: the same release, started beside itself with the new ones, takes over."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from runbooks.checks.health import database_problem, health_problem
from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.engine.step import Scope
from runbooks.steps.rotation.kind import Change
from runbooks.systems.http.client import HttpClient
from runbooks.systems.platform.hosting import Changes, Hosting, HostState, Placement, Slot

Values = Mapping[str, Secret]

START_SECONDS, STOP_SECONDS = 300.0, 60.0
IN_A_ROW, EVERY, PATIENCE = 3, 0.2, 5.0
"""So many good answers before requests are sent there; seconds between two questions, and for one answer."""


def problem_of(client: HttpClient) -> str:
    """What is wrong with an application that was just started; empty: nothing."""
    return health_problem(client.get("/health")) or database_problem(client.get("/health/db"))


@dataclass(frozen=True)
class OnHosts:
    """See `Consumers`. Host by host; each is asked what is so there, so that it goes on wherever it was killed.

    Nothing but the secret changes: release and other variables are those that the host serves now, also where the
    inventory's have changed since it was deployed, or a rollback had brought older ones.

    Attributes:
        run: The run that rotates.
        fingerprint: A keyed hash of variables; empty where no key is declared.
        known: Told all variables that are read, ahead of anything else, for a redactor.
        seconds: How long an application may take until it is well.
        problem: See `problem_of`.
    """

    hosting: Hosting
    run: str
    fingerprint: Callable[[Values], str]
    known: Callable[[Values], None]
    seconds: float
    problem: Callable[[HttpClient], str] = problem_of

    def renew(self, change: Change, scope: Scope) -> str:
        changes = self.hosting.changes(scope.token)
        said: list[str] = []
        for host in self.hosting.hosts:
            if scope.stopping:
                raise SystemFault(f"stopped ahead of {host}", reason=Reason.FAILED, found="; ".join(said))
            said.append(self._renew(changes, host, change.new, scope))
        return "; ".join(said)

    def renewed(self, change: Change) -> bool:
        for host in self.hosting.hosts:
            state = self.hosting.observe(host)
            if state.active is None:
                continue
            if not self._runs_with(state, state.active, change.new):
                return False
            if state.slots[state.idle].running and not self._runs_with(state, state.idle, change.new):
                return False
        return True

    def forget(self, values: Values, scope: Scope) -> str:
        changes, cleared = self.hosting.changes(scope.token), []
        for host in self.hosting.hosts:
            state = self.hosting.observe(host)
            if not self._has_forgotten(state, values):
                lies = self._lies(host, _serving(state)[0])
                changes.stop(host, state.idle, seconds=STOP_SECONDS)
                changes.place(host, state.idle, self._placement(state, lies), lies)
                cleared.append(f"{state.idle} of {host}")
        return f"no old value lies in {', '.join(cleared)} any more" if cleared else "no old value lies on a host"

    def forgotten(self, values: Values) -> bool:
        return all(self._has_forgotten(self.hosting.observe(host), values) for host in self.hosting.hosts)

    # --- one host

    def _renew(self, changes: Changes, host: str, values: Values, scope: Scope) -> str:
        state = self.hosting.observe(host)
        if state.active is None:
            changes.claim(host)
            return f"{host} serves nothing"
        if not self._runs_with(state, state.active, values):
            slot = state.idle
            self._place(changes, state, slot, values)
            changes.start(host, slot, seconds=min(scope.remaining(), START_SECONDS))
            self._gate(host, slot, scope)
            changes.switch(host, slot)
            scope.record("switched", host=host, to=slot.value)
            state = self.hosting.observe(host)
        assert state.active
        changes.stop(host, state.idle, seconds=STOP_SECONDS)
        return f"{state.active} of {host} serves with it"

    def _place(self, changes: Changes, state: HostState, slot: Slot, values: Values) -> None:
        """Have the release that is served lie in the idle slot, to be started with these values."""
        active, serving = _serving(state)
        there, wanted = state.slots[slot], {**self._lies(state.host, active), **values}
        as_wanted = there.placement and there.placement.release == serving.release
        if as_wanted and self._lies(state.host, slot) == wanted and self._startable(state, slot, values):
            return
        changes.stop(state.host, slot, seconds=STOP_SECONDS)
        changes.place(state.host, slot, self._placement(state, wanted), wanted)

    def _placement(self, state: HostState, variables: Values) -> Placement:
        return Placement(_serving(state)[1].release, self.run, self.fingerprint(variables))

    def _gate(self, host: str, slot: Slot, scope: Scope) -> None:
        until, good = time.monotonic() + min(self.seconds, scope.remaining()), 0
        with self.hosting.reach(host, slot) as url, HttpClient(url, seconds=PATIENCE) as client:
            while good < IN_A_ROW:
                problem = self._asked(client)
                good = 0 if problem else good + 1
                if problem and (time.monotonic() > until or scope.stopping):
                    raise SystemFault(
                        "the application does not become well with the new value, so no request was sent there",
                        reason=Reason.FAILED,
                        where=f"{slot} of {host}",
                        found=problem,
                        mend="its log is on the host; what served before goes on",
                    )
                scope.stop_event.wait(EVERY)

    def _asked(self, client: HttpClient) -> str:
        try:
            return self.problem(client)
        except SystemFault as fault:
            return fault.what

    # --- looking

    def _runs_with(self, state: HostState, slot: Slot, values: Values) -> bool:
        """Whether the slot's process was started with these values, by what its kernel says."""
        if state.slots[slot].placement is None or not state.slots[slot].running:
            return False
        given = self.hosting.started_with(state.host, slot)
        self.known(given)
        return all(given.get(name) == value for name, value in values.items())

    def _startable(self, state: HostState, slot: Slot, values: Values) -> bool:
        return not state.slots[slot].running or self._runs_with(state, slot, values)

    def _lies(self, host: str, slot: Slot) -> Values:
        found = self.hosting.variables(host, slot)
        self.known(found)
        return found

    def _has_forgotten(self, state: HostState, values: Values) -> bool:
        if state.active is None:
            return True
        lies = self._lies(state.host, state.idle)
        return all(lies.get(name) in (None, value) for name, value in values.items())


def _serving(state: HostState) -> tuple[Slot, Placement]:
    if state.active is None or state.serving is None:
        raise SystemFault(
            "the host can't tell which release it serves",
            reason=Reason.REFUSED,
            where=f"{state.active or 'no slot'} of {state.host}",
            mend="deploy it again: invoke release.deploy --release ID; then rotate",
        )
    return state.active, state.serving
