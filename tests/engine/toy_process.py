"""Started as a process of its own: begins, resumes or aborts a toy runbook whose effects are files.

``python -S -m tests.engine.toy_process FOLDER start|resume|abort '{"kill": [3, "before"]}'``, or ``serve`` for many.

The options make the process end itself, or ask itself to stop, at a known place. Nothing in the product knows of them.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from runbooks.engine import lease
from runbooks.engine.check import Check, Evidence, Finding, Phase, Results, Severity, passed
from runbooks.engine.checking import Questioning, ask_all
from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.journal import Journal, Record
from runbooks.engine.past import Past
from runbooks.engine.recorder import Recorder
from runbooks.engine.redact import Redactor
from runbooks.engine.run import compensate, perform
from runbooks.engine.step import Runbook, Scope, Step
from runbooks.engine.stepping import Run
from runbooks.engine.stop import StopRequest
from runbooks.systems.store.folder import FolderStore

RUN = "run-1"


@dataclass(frozen=True)
class Options:
    """Where the process ends itself: at the n-th record; and where a signal arrives."""

    kill: tuple[int, str] = (0, "")
    stop: tuple[int, int] = (0, 0)
    """At the n-th record, this signal."""
    stop_in: str = ""
    """In ``act``, ``checks`` or ``undo``."""
    signals: tuple[int, ...] = (signal.SIGTERM,)
    fail: bool = False


@dataclass
class Work:
    """What the steps work with."""

    folder: Path
    options: Options
    checks: dict[str, Any] = field(default_factory=dict)

    def effect(self, name: str) -> Path:
        return self.folder / "effects" / name

    def interrupted(self, place: str) -> None:
        if self.options.stop_in == place:
            for number in self.options.signals:
                os.kill(os.getpid(), number)
                if len(self.options.signals) > 1:
                    threading.Event().wait(0.3)

    def counter(self) -> int:
        path = self.effect("counter")
        return int(path.read_text()) if path.exists() else 0


def make(name: str, work: Work, scope: Scope) -> str:
    work.interrupted("act")
    with work.effect(name).open("a") as file:
        file.write(f"{scope.run}\n")
    if work.options.stop_in == "act" and len(work.options.signals) > 1:
        threading.Event().wait(60)
    return f"made {name}"


def made(name: str, work: Work, scope: Scope) -> bool:
    return work.effect(name).exists() and scope.run in work.effect(name).read_text()


def unmake(name: str, work: Work, _scope: Scope) -> str:
    work.interrupted("undo")
    work.effect(name).unlink(missing_ok=True)
    return f"removed {name}"


def count(work: Work, scope: Scope) -> str:
    work.effect("counter").write_text(str(scope.before["counter"] + 1))
    return "counted"


def uncount(work: Work, scope: Scope) -> str:
    if scope.before["counter"]:
        work.effect("counter").write_text(str(scope.before["counter"]))
    else:
        work.effect("counter").unlink(missing_ok=True)
    return "counted back"


def make_at_second_try(work: Work, scope: Scope) -> str:
    tried = work.folder / "tried"
    if not tried.exists():
        tried.touch()
        raise SystemFault("not yet", reason=Reason.UNREACHABLE)
    return make("third", work, scope)


def look(name: str, work: Work, _known: Results) -> Finding:
    if name == "first":
        work.interrupted("checks")
    if name == "hangs" and work.options.stop_in == "checks":
        threading.Event().wait(60)
    return passed("an answer", name)


def ask(work: Work, scope: Scope) -> str:
    how = Questioning(
        tools=work,
        cap=4,
        stopping=scope.stop_event,
        reuse=lambda _check: None,
        on_result=lambda check, result: scope.record("check", id=check.id, verdict=result.verdict),
    )
    answers = ask_all(how, [check(name) for name in ("first", "hangs")], {})
    return f"{len(answers)} checks asked"


def check(name: str) -> Check[Work]:
    return Check(
        id=name,
        title=name,
        number=None,
        section="toys",
        severity=Severity.MINOR,
        evidence=Evidence.PROBE,
        phase=Phase.LIVE,
        valid_for=timedelta(),
        depends_on=(),
        target="toy",
        look=partial(look, name),
        seconds=60,
    )


def fail(_work: Work, _scope: Scope) -> str:
    raise SystemFault("it does not work", reason=Reason.FAILED)


def tidy(work: Work, _scope: Scope) -> str:
    (work.folder / "tidied").touch()
    return "tidied"


def runbook(options: Options) -> Runbook[Work]:
    first, third = (
        {"done": partial(made, name), "undo": partial(unmake, name), "attempts": attempts}
        for name, attempts in (("first", 1), ("third", 2))
    )
    steps = [
        Step[Work](name="first", title="Make the first", act=partial(make, "first"), **first),  # type: ignore[arg-type]
        Step[Work](
            name="count",
            title="Count",
            act=count,
            before=lambda work: {"counter": work.counter()},
            done=lambda work, scope: work.counter() == scope.before["counter"] + 1,
            undo=uncount,
        ),
        Step[Work](name="third", title="Make the third", act=make_at_second_try, **third),  # type: ignore[arg-type]
        Step[Work](name="ask", title="Ask", act=ask),
        Step[Work](name="tidy", title="Tidy", act=tidy, always=True),
    ]
    if options.fail:
        steps.insert(4, Step(name="fail", title="Fail", act=fail))
    return Runbook(name="toy", title="A toy", steps=tuple(steps), changes=True)


class MarkedJournal(Journal):
    """A journal that ends or stops its process at the n-th record."""

    options = Options()

    def append(self, kind: str, *arguments: Any, **data: Any) -> Record:
        number = len(self.records) + 1
        if self.options.stop[0] == number:
            os.kill(os.getpid(), self.options.stop[1])
        for when in ("before", "after"):
            if when == "after":
                record = super().append(kind, *arguments, **data)
            if self.options.kill == (number, when):
                os.kill(os.getpid(), signal.SIGKILL)
        return record


def main(folder: Path, mode: str, options: Options) -> int:
    MarkedJournal.options = options
    (folder / "effects").mkdir(exist_ok=True)
    redactor, store = Redactor(), FolderStore(folder / "store")
    where = folder / "runs" / RUN
    journal = MarkedJournal.create(where, redactor) if mode == "start" else MarkedJournal.reopen(where, redactor)
    if not journal.records and mode != "start":
        print("the run was killed before it began")
        return 2
    recorder = Recorder(journal, redactor)
    stop = StopRequest()
    held = lease.acquire(store, run=RUN, reason=mode)
    undoing = mode == "abort" or Past.of(journal.records).undoing
    with lease.Keeper(store, held).held() as confirm, stop.listening():
        if mode == "start":
            recorder.append("run", run=RUN, runbook="toy", options=asdict(options))
        else:
            recorder.append("resumed")
        run = Run(RUN, runbook(options), Work(folder, options), recorder, stop, confirm)
        ending = compensate(run, None) if undoing else perform(run)
        recorder.append("end", status=ending.status, exit_code=ending.exit_code, error=str(ending.error or ""))
    print(f"{ending.status}: {ending.mend}")
    return ending.exit_code


def options_of(given: dict[str, Any]) -> Options:
    chosen: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    return Options(**chosen)


def serve() -> None:
    """Start a process for each line of the input; a fork of this warm one costs a tenth of a new interpreter."""
    for line in sys.stdin:
        folder, mode, given = json.loads(line)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.dup2(writing, 1)
            code = 1
            try:
                code = main(Path(folder), mode, options_of(given))
            finally:
                sys.stdout.flush()
                os._exit(code)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            output = pipe.read()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(json.dumps([status, output]), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve()
    else:
        sys.exit(main(Path(sys.argv[1]), sys.argv[2], options_of(json.loads(sys.argv[3]))))
