"""A runbook of one step that runs one command: by the ``engine`` alone, or as a whole ``command``."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task


@task
def engine(c: Context) -> None:
    """Journal, log and one step; no inventory and no display."""
    from runbooks.engine.journal import Journal
    from runbooks.engine.recorder import Recorder
    from runbooks.engine.redact import Redactor
    from runbooks.engine.run import perform
    from runbooks.engine.step import Runbook, Step
    from runbooks.engine.stepping import Run
    from runbooks.engine.stop import StopRequest
    from runbooks.report.markdown import LogWriter

    book: Runbook[Context] = Runbook(
        name="bench.one",
        title="One step",
        changes=False,
        steps=(Step(name="noop", title="Run true", act=lambda context, _scope: run_true(context)),),
    )
    folder = Path(tempfile.mkdtemp(dir=os.environ["ONE_STEP_RUNS"]), "run")
    redactor = Redactor()
    recorder = Recorder(Journal.create(folder, redactor), redactor, [LogWriter(folder)])
    recorder.append(
        "run",
        run=folder.name,
        runbook=book.name,
        title=book.title,
        environment="none",
        label="nothing",
        protected=False,
        sandbox=False,
        operator="benchmark",
        tool="0",
        parameters={},
        steps=[{"name": step.name, "title": step.title} for step in book.steps],
        digest=book.digest(),
        previous=None,
    )
    stop = StopRequest()
    with stop.listening():
        ending = perform(Run(folder.name, book, c, recorder, stop, lambda: None))
    recorder.append(
        "end", status=ending.status, exit_code=ending.exit_code, verdict="", error=None, mend="", seconds=0.0
    )
    recorder.journal.close()
    print(f"{ending.status}: {folder / 'log.md'}")


@task
def command(c: Context) -> None:
    """The whole way of a command: inventory, confirmation, journal, log, display, anchor in the store."""
    from runbooks import catalog
    from runbooks import command as whole
    from runbooks.engine.step import Runbook, Step

    def prepare(_opening: catalog.Opening) -> catalog.Prepared:
        step = Step[Context](name="noop", title="Run true", act=lambda context, _scope: run_true(context))
        return catalog.Prepared(Runbook(name="bench.one", title="One step", changes=False, steps=(step,)), c)

    catalog._BUILDERS["bench.one"] = f"{__name__}:prepare"
    globals()["prepare"] = prepare
    code = whole.start("bench.one", whole.Options(environment="local"))
    raise Exit(code=code)


def run_true(c: Context) -> str:
    done = c.run("true", in_stream=False)
    return f"exit {done.exited if done else '?'}"
