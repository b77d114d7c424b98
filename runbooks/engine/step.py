"""What a procedure is made of: steps, in the order in which a person would do them."""

from __future__ import annotations

import hashlib
import inspect
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar

from runbooks.engine.errors import Reason, SystemFault

Tools = TypeVar("Tools")
"""What a runbook's steps work with: the systems and facts of one environment, made by the caller."""

State = Mapping[str, Any]
"""JSON-like facts noted before an effect, so that a later process can tell whether it happened."""


class Scope:
    """What a step may know of the run around it.

    Attributes:
        run: The run's id; an effect carries it wherever its target allows.
        before: What `Step.before` noted ahead of the effect, also when another process notes it.
        token: Of the lease that the run holds. It only grows, so what was changed under a later one refuses ours; 0:
            there is no lease.
    """

    def __init__(
        self,
        *,
        run: str,
        before: State,
        seconds: float,
        stopping: threading.Event,
        say: Callable[[str], None],
        record: Callable[..., object],
        progress: Callable[[str], object] = lambda _text: None,
        token: int = 0,
    ) -> None:
        self.run = run
        self.before = before
        self.token = token
        self._deadline = time.monotonic() + seconds
        self.stop_event = stopping
        self._say = say
        self._progress = progress
        self._record = record
        self._over = False
        self._speaking = threading.Lock()

    @property
    def stopping(self) -> bool:
        """Whether the operator asked to stop: a long step ends at its next safe point."""
        return self.stop_event.is_set()

    def say(self, text: str) -> None:
        """Show progress that is not worth a record."""
        with self._speaking:
            self._refuse_when_over()
            self._say(text)

    def progress(self, text: str) -> None:
        """Show how far the step is, in place of what was shown before; only a terminal does."""
        with self._speaking:
            self._refuse_when_over()
            self._progress(text)

    def record(self, kind: str, **data: Any) -> None:
        """Write a fact into the journal; it is on disk when this returns."""
        with self._speaking:
            self._refuse_when_over()
            self._record(kind, **data)

    def close(self) -> None:
        """End it: a thread that was left behind can neither speak nor record for a run that has gone on."""
        with self._speaking:
            self._over = True

    def _refuse_when_over(self) -> None:
        if self._over:
            raise SystemFault("this step was given up before", reason=Reason.TIMED_OUT)

    def remaining(self) -> float:
        """Seconds until this step's time is up.

        Raises:
            SystemFault: it is up.
        """
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise SystemFault("the step's time is up", reason=Reason.TIMED_OUT)
        return left


def _nothing(_tools: Any) -> State:
    return {}


def _no_plan(_tools: Any) -> Iterable[str]:
    return ()


@dataclass(frozen=True, kw_only=True)
class Step(Generic[Tools]):
    """One effect, with what tells that it is done and what takes it back.

    Attributes:
        name: Stable, in kebab-case; a journal refers to it.
        title: What a person would write on the page.
        act: Does it and says in one sentence what was done. Safe to call again after a crash when ``done`` says no.
        done: The postcondition, asked before acting, after acting, and again on resume. None as an answer means that
            it can't be told; a run then stops for a person. A step without it is read-only or harmless to repeat.
        before: State noted in the journal ahead of the effect.
        ready: The precondition; raises if the step must not be tried.
        undo: Takes the effect back; must hold when called twice or on half an effect.
        plan: Lines that say what ``act`` would do; reads only.
        seconds: Its time limit.
        attempts: Tries in all.
        always: Performed even after a failure or a stop: cleaning up.
        acceptable: Whether a person may answer in its stead once it has stopped for one, because it found no answer.
    """

    name: str
    title: str
    act: Callable[[Tools, Scope], str]
    done: Callable[[Tools, Scope], bool | None] | None = None
    before: Callable[[Tools], State] = _nothing
    ready: Callable[[Tools], None] | None = None
    undo: Callable[[Tools, Scope], str] | None = None
    plan: Callable[[Tools], Iterable[str]] = _no_plan
    seconds: float = 60.0
    attempts: int = 1
    always: bool = False
    acceptable: bool = False


@dataclass(frozen=True, kw_only=True)
class Runbook(Generic[Tools]):
    """A procedure: its steps in order.

    Attributes:
        name: As typed after ``invoke``.
        changes: Whether it changes the environment: it then holds the lease, asks before it touches a protected
            environment, and takes back what it did when a step fails.
        confirmed: Whether it asks as well where it changes nothing of the environment itself.
        overtakes: Whether an earlier run that was interrupted can neither be resumed nor taken back after it. Not so
            where it only makes copies, or removes what a resumed run makes again: timers start such runs at night.
        back_in_order: Whether the way back ends at the first step that can't be taken back, because those ahead of it
            rely on that; else what can't be taken back does not stop the rest.
        conclude: The verdict of the whole run and its exit code, once all steps are done.
    """

    name: str
    title: str
    steps: tuple[Step[Tools], ...]
    changes: bool
    confirmed: bool = False
    overtakes: bool = True
    back_in_order: bool = False
    conclude: Callable[[Tools], Conclusion] | None = None

    def digest(self) -> str:
        """Changes when the procedure does: a run is not resumed by a runbook other than the one that began it."""
        parts = [self.name]
        for step in self.steps:
            parts += [step.name, step.title]
            parts += [_source(call) for call in (step.act, step.done, step.before, step.ready, step.undo) if call]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@dataclass(frozen=True)
class Conclusion:
    """The verdict of a run: a word for people, the exit code for machines, and facts for the reports."""

    verdict: str
    exit_code: int
    facts: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def saying(cls, verdict: str, line: str, exit_code: int = 0, **facts: Any) -> Conclusion:
        """One with a sentence, which every report shows."""
        return cls(verdict, exit_code, {"verdict": verdict, "line": line, **facts})


def _source(call: Callable[..., Any]) -> str:
    while isinstance(call, partial):
        call = call.func
    try:
        return inspect.getsource(call)
    except (OSError, TypeError):
        return getattr(call, "__qualname__", repr(type(call)))
