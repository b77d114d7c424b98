"""The gate before the switch: a release must prove itself where nobody is sent to it yet."""

from __future__ import annotations

import time
from collections.abc import Iterator

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.step import Scope
from runbooks.steps.deploying import Deploying
from runbooks.steps.migrating import told
from runbooks.steps.release_state import heads_of
from runbooks.steps.rolling import change_all
from runbooks.steps.serving import Serving
from runbooks.systems.http.client import HttpClient
from runbooks.systems.platform.hosting import Slot

IN_A_ROW = 3
"""Good answers."""

EVERY = 1.0
"""Seconds between two questions; Kamal's proxy asks as often."""

PATIENCE = 5.0
"""Seconds for one answer."""


def prove_itself(work: Serving, scope: Scope) -> str:
    """Ask the idle slot of every host until it answers well, and go on doing so for the declared time.

    Raises:
        SystemFault: it did not within the declared time, or runs another commit.
    """
    asked = change_all(work, scope, lambda host: _host(work, scope, host), may_fail=lambda _: not work.blame)
    return "; ".join(asked)


def gate(work: Deploying, scope: Scope) -> str:
    """The same for a release that brings a schema along.

    Raises:
        SystemFault: as there, or the schema is another one.
    """
    told_by_hosts = prove_itself(work, scope)
    heads, wanted = heads_of(work.site), told(work).heads
    if set(heads) != set(wanted):
        found = f"the schema is at {', '.join(heads) or 'no migration'}"
        raise work.prove(f"{found}, the release is for {', '.join(wanted)}")
    return f"{told_by_hosts}; the schema is at {', '.join(heads)}"


def plan_to_prove(work: Serving) -> Iterator[str]:
    """What it must do."""
    declared = work.declared
    yield (
        f"within {declared.gate_seconds:g} s: {IN_A_ROW} good answers in a row, and none but good ones for"
        f" {declared.gate_stable_seconds:g} s; the wanted commit; the same process throughout"
    )


def plan(work: Deploying) -> Iterator[str]:
    """The same for a release that brings a schema along."""
    yield from plan_to_prove(work)
    yield "the wanted schema"


def _host(work: Serving, scope: Scope, host: str) -> str:
    state = work.hosting.observe(host)
    slot = work.slot(state)
    placement = state.slots[slot].placement
    if placement is None or placement.release != work.wanted:
        runs = placement.release.commit[:12] if placement else "nothing"
        raise work.prove(f"{slot} of {host} runs {runs} instead of {work.wanted.commit[:12]}")
    with work.hosting.reach(host, slot) as url, HttpClient(url, seconds=PATIENCE) as client:
        try:
            asked, seconds = _steady(work, scope, client, f"{slot} of {host}")
        except SystemFault as fault:
            fault.found += f"; its log: {_log(work, host, slot)}"
            raise
    after = work.hosting.observe(host).slots[slot]
    if after.pid != state.slots[slot].pid:
        raise work.prove(f"{slot} of {host} was started again while it was asked: process {after.pid}")
    return f"{slot} of {host}: {asked} good answers in {seconds:.1f} s, commit {work.wanted.commit[:12]}"


def _log(work: Serving, host: str, slot: Slot) -> str:
    try:
        return " | ".join(work.hosting.log_of(host, slot, lines=10).splitlines())
    except SystemFault as fault:
        return fault.what


def _steady(work: Serving, scope: Scope, client: HttpClient, where: str) -> tuple[int, float]:
    """Ask until it has been good for long enough: how many good answers that was, and over how long."""
    declared, began = work.declared, time.monotonic()
    good, since, problem = 0, began, "it was not asked"
    while time.monotonic() - began < min(declared.gate_seconds, scope.remaining()):
        if scope.stopping:
            raise SystemFault("stopped at the gate", reason=Reason.FAILED)
        found = problem_of(client, "/health") or problem_of(client, "/health/db")
        now = time.monotonic()
        if found:
            if found != problem:
                scope.say(f"{where}: {found}")
            good, problem = 0, found
        else:
            since = now if good == 0 else since
            good += 1
            if good >= IN_A_ROW and now - since >= declared.gate_stable_seconds:
                return good, now - since
        scope.stop_event.wait(EVERY if good == 0 else min(EVERY, max(declared.gate_stable_seconds / IN_A_ROW, 0.05)))
    raise work.prove(f"{where}: {problem if good == 0 else f'only {good} good answers in a row'}")


def problem_of(client: HttpClient, path: str) -> str:
    """Why an answer is not good; empty if it is. A degraded database is HTTP 200 and says so in its body."""
    try:
        answer = client.get(path)
        if answer.status != 200:
            return f"{path}: HTTP {answer.status}"
        if path.startswith("/health"):
            status = answer.object().get("status")
            return "" if status == "ok" else f"{path}: status {status!r}"
    except SystemFault as fault:
        return f"{path}: {fault.what}"
    return ""
