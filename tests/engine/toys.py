"""Runs of toy runbooks in a temporary folder, for the tests of the engine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.journal import FILE_NAME, Journal, Record, read_intact
from runbooks.engine.outcome import Outcome
from runbooks.engine.recorder import Observer, Recorder
from runbooks.engine.redact import Redactor
from runbooks.engine.secret import Secret
from runbooks.engine.step import Conclusion, Runbook, Scope, Step
from runbooks.engine.stepping import Run
from runbooks.engine.stop import StopRequest

ROOT = Path(__file__).parent.parent.parent


def recorder_in(folder: Path, *secrets: Secret, observers: Iterable[Observer] = ()) -> Recorder:
    redactor = Redactor(secrets)
    return Recorder(Journal.create(folder, redactor), redactor, list(observers))


def run_of(
    folder: Path,
    *steps: Step[Any],
    changes: bool = True,
    confirm_lease: Callable[[], None] = lambda: None,
    conclude: Callable[[Any], Conclusion] | None = None,
    recorder: Recorder | None = None,
    back_in_order: bool = False,
) -> Run[Any]:
    book: Runbook[Any] = Runbook(
        name="toy", title="A toy", steps=steps, changes=changes, conclude=conclude, back_in_order=back_in_order
    )
    return Run("run-1", book, None, recorder or recorder_in(folder), StopRequest(), confirm_lease)


class Effect:
    """An effect that is there or not, with what was done to it."""

    def __init__(self, name: str, diary: list[str] | None = None) -> None:
        self.name = name
        self.there = False
        self.diary = [] if diary is None else diary

    def make(self, _tools: Any, _scope: Scope) -> str:
        self.there = True
        self.diary.append(f"make {self.name}")
        return f"made {self.name}"

    def fail(self, _tools: Any, _scope: Scope) -> str:
        self.there = True
        raise ZeroDivisionError("half way")

    def take_back(self, _tools: Any, _scope: Scope) -> str:
        self.there = False
        self.diary.append(f"take back {self.name}")
        return f"took back {self.name}"

    def is_there(self, _tools: Any, _scope: Scope) -> bool:
        return self.there

    def step(self, **changed: Any) -> Step[Any]:
        facts: dict[str, Any] = {"act": self.make, "done": self.is_there, "undo": self.take_back}
        return Step(name=self.name, title=f"Make {self.name}", **{**facts, **changed})


def records(run: Run[Any]) -> list[Record]:
    return list(read_intact(run.recorder.journal.path))


def told(run: Run[Any]) -> list[str]:
    """Kind, step and outcome of each record, as it is on disk."""
    return [
        " ".join(str(word) for word in (record.kind, record.data.get("step"), record.data.get("outcome")) if word)
        for record in records(run)
    ]


def last_outcome(run: Run[Any], step: str) -> Record:
    return [record for record in records(run) if record.kind == "outcome" and record.data["step"] == step][-1]


def outcome_of(run: Run[Any], step: str) -> Outcome:
    return Outcome(last_outcome(run, step).data["outcome"])


def write_journal(folder: Path, *kinds: str, **header: Any) -> Path:
    """A closed journal with these records; the first one says what is given."""
    journal = Journal.create(folder, Redactor())
    for number, kind in enumerate(kinds):
        journal.append(kind, **(header if number == 0 else {}))
    journal.close()
    return folder / FILE_NAME


def child(*arguments: object) -> subprocess.Popen[str]:
    """A process of its own that runs a module of these tests; it needs nothing but the standard library."""
    command = [sys.executable, "-S", "-m", *map(str, arguments)]
    return subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """The exit status and the output of a child, which must end by itself."""
    with process:
        output, errors = process.communicate(timeout=30)
    return process.returncode, output, errors


def refuse(*_arguments: Any) -> str:
    raise SystemFault("it does not work", reason=Reason.UNREACHABLE)


FAILING: Step[Any] = Step(name="failing", title="Fail", act=refuse)
