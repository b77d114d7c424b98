"""Asks many checks at once: each after what it depends on, so many per target at a time, none able to stop the rest."""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from graphlib import CycleError, TopologicalSorter
from typing import Generic

from runbooks.engine.check import Check, Finding, Result, Results, Reused, unknown
from runbooks.engine.errors import InputError, Reason, RunbookError, SystemFault
from runbooks.engine.guarded import place_of
from runbooks.engine.step import Tools

RETRY_PAUSE = 0.5
"""Seconds between two attempts."""

_NEVER_WORTH_RETRYING = (Reason.UNAUTHORISED, Reason.RATE_LIMITED, Reason.NOTHING_TO_ASK)


@dataclass(frozen=True, kw_only=True)
class Questioning(Generic[Tools]):
    """How checks are asked.

    Attributes:
        cap: How many checks of one target may run at the same time.
        reuse: Finds earlier evidence for a check whose limit is spent.
        on_result: Called with each result as it comes, in the caller's thread.
        settle: Has the last word on each finding, before any check that depends on it sees it.
    """

    tools: Tools
    cap: int
    stopping: threading.Event
    reuse: Callable[[Check[Tools]], Reused | None]
    on_result: Callable[[Check[Tools], Result], None]
    settle: Callable[[Check[Tools], Finding], Finding] = lambda _check, finding: finding


def closure(known: Mapping[str, Check[Tools]], wanted: Iterable[str]) -> list[str]:
    """The wanted checks and all that they depend on, each after what it depends on.

    Raises:
        InputError: an id is unknown, or checks depend on each other in a circle.
    """
    graph: dict[str, tuple[str, ...]] = {}
    pending = list(wanted)
    while pending:
        name = pending.pop()
        if name not in known:
            raise InputError(f"no check is called {name}", mend="invoke checklist.list shows them")
        if name not in graph:
            graph[name] = known[name].depends_on
            pending += known[name].depends_on
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise in_a_circle(error) from error


def in_a_circle(error: CycleError) -> InputError:
    """The error for checks that can't be put in an order."""
    return InputError(
        "checks depend on each other, or stand after each other, in a circle", found=" → ".join(error.args[1])
    )


def ask_all(how: Questioning[Tools], checks: Iterable[Check[Tools]], known: Results) -> dict[str, Result]:
    """Ask the checks in parallel; what they depend on is among them or already known.

    Returns:
        The results, in the order in which they came; also of what could not be asked any more when the operator
        stopped the run: those are missing.
    """
    return _Asking(how, {check.id: check for check in checks}, dict(known)).to_the_end()


class _Asking(Generic[Tools]):
    """The state of one `ask_all`: what waits, what runs until when, what is known."""

    def __init__(self, how: Questioning[Tools], checks: dict[str, Check[Tools]], known: dict[str, Result]) -> None:
        self.how = how
        self.checks = checks
        self.known = known
        self.fresh: dict[str, Result] = {}
        self.waiting: list[Check[Tools]] = []
        self.deadlines: dict[str, tuple[float, datetime]] = {}
        self.finished: queue.SimpleQueue[Result] = queue.SimpleQueue()
        graph = {
            name: [other for other in (*check.depends_on, *check.after) if other in checks]
            for name, check in checks.items()
        }
        self.order = TopologicalSorter(graph)
        try:
            self.order.prepare()
        except CycleError as error:
            raise in_a_circle(error) from error

    def to_the_end(self) -> dict[str, Result]:
        while self.order.is_active() and not self.how.stopping.is_set():
            self.waiting += [self.checks[name] for name in self.order.get_ready()]
            self._start_what_may_start()
            self._collect()
        return self.fresh

    def _start_what_may_start(self) -> None:
        busy = Counter(self.checks[name].target for name in self.deadlines)
        still_waiting = []
        for check in self.waiting:
            blocker = self._blocker(check)
            if blocker:
                self.finished.put(_immediate(check, blocker))
                self.deadlines[check.id] = (time.monotonic() + check.seconds, datetime.now(UTC))
            elif busy[check.target] < self.how.cap:
                busy[check.target] += 1
                self._start(check)
            else:
                still_waiting.append(check)
        self.waiting = still_waiting

    def _start(self, check: Check[Tools]) -> None:
        started = datetime.now(UTC)
        self.deadlines[check.id] = (time.monotonic() + check.seconds, started)
        ask = partial(_ask, check, self.how, dict(self.known), started, self.finished.put)
        threading.Thread(target=ask, name=f"check {check.id}", daemon=True).start()

    def _blocker(self, check: Check[Tools]) -> Finding | None:
        if check.gate:
            return None
        for name in check.depends_on:
            result = self.known.get(name)
            if result is None or not result.verdict.good:
                verdict = result.verdict if result else "not asked"
                reason = result.finding.reason if result else None
                return unknown(
                    f"{name} is good, so that this can be looked at",
                    f"not looked at: {name} is {verdict}",
                    f"mend {name} first",
                    None if reason is Reason.NOTHING_TO_ASK else reason,  # that is said of the other check only
                )
        return None

    def _collect(self) -> None:
        """Take in what has finished by now, waiting for the first of it until the next deadline."""
        nearest = min(deadline for deadline, _ in self.deadlines.values())
        try:
            self._take(self.finished.get(timeout=min(max(nearest - time.monotonic(), 0), 0.2)))
            while True:
                self._take(self.finished.get_nowait())
        except queue.Empty:
            pass
        now = time.monotonic()
        for name, (deadline, started) in list(self.deadlines.items()):
            if now >= deadline:
                self._take(_overdue(self.checks[name], started))

    def _take(self, result: Result) -> None:
        if result.check not in self.deadlines:
            return  # it was given up as overdue before
        del self.deadlines[result.check]
        check = self.checks[result.check]
        if result.finding.reason is Reason.RATE_LIMITED and (earlier := self.how.reuse(check)):
            result = Result(check.id, earlier.finding, result.started, result.seconds, result.attempts, reused=earlier)
        result = replace(result, finding=self.how.settle(check, result.finding))
        self.known[check.id] = self.fresh[check.id] = result
        self.order.done(check.id)
        self.how.on_result(check, result)


def _ask(
    check: Check[Tools],
    how: Questioning[Tools],
    known: Results,
    started: datetime,
    hand_in: Callable[[Result], None],
) -> None:
    began = time.monotonic()
    for attempt in range(1, check.attempts + 1):
        try:
            finding = check.look(how.tools, known)
            if not isinstance(finding, Finding):
                raise TypeError(f"look returned {type(finding).__name__} in place of a Finding")
        except SystemFault as fault:
            finding = unknown(check.title, _one_line(fault), fault.mend, fault.reason)
            if attempt < check.attempts and fault.reason not in _NEVER_WORTH_RETRYING:
                if how.stopping.wait(RETRY_PAUSE):
                    break
                continue
        except RunbookError as error:
            finding = unknown(check.title, _one_line(error), error.mend, Reason.FAILED)
        except Exception as error:  # a bug in one check must not take the other 130 with it
            found = f"the check itself crashed: {type(error).__name__}: {error} at {place_of(error)}"
            finding = unknown(check.title, found, "report this as a bug", Reason.FAILED)
        break
    hand_in(Result(check.id, finding, started, round(time.monotonic() - began, 3), attempt))


def _one_line(error: RunbookError) -> str:
    parts = [error.what]
    if error.where:
        parts.append(f"at {error.where}")
    return " ".join(parts) + (f": {error.found}" if error.found else "")


def _immediate(check: Check[Tools], finding: Finding) -> Result:
    return Result(check.id, finding, datetime.now(UTC), 0.0, 0)


def _overdue(check: Check[Tools], started: datetime) -> Result:
    found = f"no answer within {check.seconds:g} s; the look was given up"
    finding = unknown(check.title, found, "see whether what it asks hangs", Reason.TIMED_OUT)
    return Result(check.id, finding, started, check.seconds, 1)
