"""From a command line to a run and its exit code: environment, plan, confirmation, lease, journal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from runbooks import catalog, project
from runbooks.edition import edition
from runbooks.engine import accepting, lease, runs
from runbooks.engine.confirm import confirm
from runbooks.engine.errors import InputError, LeaseHeld
from runbooks.engine.journal import Journal
from runbooks.engine.past import Past
from runbooks.engine.redact import Redactor
from runbooks.engine.step import Runbook
from runbooks.environment.model import Environment
from runbooks.execution import Execution, execute, recorder_for
from runbooks.masking import masked
from runbooks.options import Options
from runbooks.places import open_environment, open_run, runs_of, store_of

__all__ = ["Options", "resume", "start"]


def start(name: str, options: Options) -> int:
    """Run a runbook from its beginning.

    Returns:
        The exit code of the command.

    Raises:
        RunbookError: it could not begin; nothing was done.
    """
    environment = open_environment(options.environment)
    if name in catalog.NEED_THE_APPLICATION and (code := wake(name, environment, options)) is not None:
        return code
    if environment.sandbox and name == "release.verify" and not options.plan:
        _catch_up(options)
    redactor = Redactor()
    with masked(redactor):
        code = _begin(name, environment, redactor, options)
    if name == "sandbox.up" and not (code or options.plan):
        _catch_up(options)
    return code


def _begin(name: str, environment: Environment, redactor: Redactor, options: Options) -> int:
    opening = catalog.Opening(
        environment=environment,
        redactor=redactor,
        run=runs.new_id(name),
        runs=runs_of(environment),
        parameters=options.parameters,
    )
    prepared = catalog.prepare(name, opening)
    try:
        if options.plan:
            return show_plan(prepared, environment, redactor, options.stream)
        _agree(prepared, environment, redactor, options)
        prepared.accept(options.stream)
        with _leased(prepared.runbook, environment, opening.run, options.reason) as (confirm_lease, held):
            folder = opening.runs / opening.run
            beginning = _beginning(prepared.runbook, opening)
            recorder = recorder_for(Journal.create(folder, redactor), redactor, options)
            recorder.append("run", **beginning)
            return execute(
                Execution(prepared, opening.run, recorder, store_of(environment), confirm_lease, held), options
            )
    finally:
        prepared.close()


def wake(name: str, environment: Environment, options: Options) -> int | None:
    """Have the application there that a runbook asks: an environment that is the sandbox is started for it.

    Returns:
        The exit code to end with: after a plan, or when the sandbox could not be started; None to go on.
    """
    return _start_sandbox(name, options) if environment.sandbox else None


def _start_sandbox(name: str, options: Options) -> int | None:
    """Start the sandbox if it does not run: on first use, and after anything of it was killed.

    While a fault is injected, what it broke stays as it is, or it could not be seen; that is said. Where nothing runs
    at all, the sandbox is started with it.
    """
    try:
        from runbooks.sandbox.world import Sandbox
    except ModuleNotFoundError as error:
        raise catalog.not_installed("the sandbox", error) from error

    sandbox = Sandbox.of(project.root())
    faults = sandbox.faults()
    if faults:
        print(f"faults are injected: {', '.join(faults)}; to take them back: invoke sandbox.mend", file=sys.stderr)
    if sandbox.manager.alive() if faults else sandbox.well():
        if not options.plan:
            sandbox.write_people()
        return None
    stream = options.stream if options.format == "console" else sys.stderr
    up = Options(environment="local", plan=options.plan, stream=stream, reason="first use")
    code = start("sandbox.up", up)
    if options.plan and not code:
        print(f"Then: invoke {name}. Its plan needs what starting the sandbox writes.", file=stream)
    return code if code or options.plan else None


def _catch_up(options: Options) -> None:
    """Take the sandbox's daily snapshot and do its quarterly drill, if it is time: a timer does so elsewhere.

    Not while a fault is injected, or what it broke would be mended. A sandbox without them is still one.
    """
    from runbooks import snapshots
    from runbooks.sandbox import safekeeping
    from runbooks.sandbox.world import Sandbox

    if Sandbox.of(project.root()).faults():
        return
    stream = options.stream if options.format == "console" else sys.stderr
    for name in safekeeping.due(project.root()):
        again = Options(environment=safekeeping.NAME, stream=stream, reason="it is time")
        if name == "backup.drill":
            snapshots.start(name, "newest", again)
        else:
            start(name, again)


def resume(run: str, options: Options, *, abort: bool = False, accept: str | None = None) -> int:
    """Go on with a run that was interrupted, or take back what it did.

    Args:
        accept: Why a person answers in the stead of the step that the run stopped at; None: nobody does.

    Raises:
        InputError: there is no such run, it has ended, it still goes on, its journal is damaged, the runbook has
            changed since, or its step is none that a person could answer for.
    """
    environment, folder = open_run(run, options.environment)
    redactor = Redactor()
    with masked(redactor):
        return _go_on(environment, folder, redactor, options, abort=abort, accept=accept)


def _go_on(
    environment: Environment, folder: Path, redactor: Redactor, options: Options, *, abort: bool, accept: str | None
) -> int:
    journal = Journal.reopen(folder, redactor)
    try:
        past, header = Past.of(journal.records), _header(journal, folder)
        summary = runs.summary(folder)
        if summary.exit_code is not None and summary.status.value in ("done", "failed and compensated"):
            raise InputError(
                f"the run has ended: {summary.status}",
                where=str(folder),
                mend=f"invoke runs.show {folder.name}",
            )
        _refuse_if_overtaken(folder)
        opening = catalog.Opening(
            environment=environment,
            redactor=redactor,
            run=folder.name,
            runs=folder.parent,
            parameters={**header["parameters"], **options.parameters},
        )
        prepared = catalog.prepare(header["runbook"], opening)
        if prepared.runbook.digest() != header["digest"]:
            raise InputError(
                f"{header['runbook']} has changed since this run began, so it can't be resumed",
                where=str(folder),
                mend=f"check out {header['tool']} of this tool, or begin a new run",
            )
        if accept is not None:
            accepting.refuse_unless_awaited(prepared.runbook, past, folder.name, accept)
    except BaseException:
        journal.close()
        raise
    try:
        with _leased(
            prepared.runbook, environment, folder.name, f"{'take back' if abort else 'resume'} {folder.name}"
        ) as (
            confirm_lease,
            held,
        ):
            recorder = recorder_for(journal, redactor, options)
            recorder.append("resumed", operator=lease.operator(), abort=abort, **said(options))
            if accept is not None:
                accepting.record(recorder, past.waiting, accept)
            execution = Execution(prepared, folder.name, recorder, store_of(environment), confirm_lease, held)
            return execute(execution, options, back=abort or past.undoing)
    finally:
        prepared.close()


def said(options: Options) -> dict[str, Any]:
    """What an operator said as he went on with a run."""
    return {"parameters": dict(options.parameters)} if options.parameters else {}


def show_plan(prepared: catalog.Prepared, environment: Environment, redactor: Redactor, stream: TextIO) -> int:
    """Show what a run would do: everything is read, nothing is written."""
    book = prepared.runbook
    stream.write(f"{book.title} on {environment.label}: the plan; nothing is changed\n")
    for number, step in enumerate(book.steps, start=1):
        stream.write(f"{number}. {step.title}\n")
        stream.writelines(f"   {redactor.text(line)}\n" for line in step.plan(prepared.tools))
    return 0


def _agree(prepared: catalog.Prepared, environment: Environment, redactor: Redactor, options: Options) -> None:
    book = prepared.runbook
    if not ((book.changes or book.confirmed) and environment.protected):
        return
    would = [redactor.text(line) for step in book.steps for line in step.plan(prepared.tools)]
    confirm(
        environment.name,
        [f"{book.title} on {environment.label}:", *(f"  {line}" for line in would)],
        given=options.confirm,
        ask=input if sys.stdin.isatty() else None,
        show=lambda line: print(line, file=options.stream),
    )


def _refuse_if_overtaken(folder: Path) -> None:
    if later := runs.overtaken_by(folder):
        raise InputError(
            "a later run has changed the environment since, so this one is neither resumed nor taken back",
            where=folder.name,
            found=later,
            mend=f"invoke runs.show {later}; what is still to do, do by a new run",
        )


@contextmanager
def _leased(
    book: Runbook[Any], environment: Environment, run: str, reason: str
) -> Iterator[tuple[Callable[[], None], lease.Lease | None]]:
    """Hold the environment's lease where the runbook changes it."""
    if not book.changes:
        yield (lambda: None), None
        return
    store = store_of(environment)
    if environment.protected and not store.shared:
        raise InputError(
            f"{environment.name} is protected, but its store is a local folder: nobody else would see the lease",
            where=str(store),
            mend="declare a shared store in the inventory",
        )
    try:
        held = lease.acquire(store, run=run, reason=reason or book.title)
    except LeaseHeld as error:
        error.mend = error.mend.replace("lease.break", f"lease.break --env {environment.name}")
        raise
    with lease.Keeper(store, held).held() as confirm_lease:
        yield confirm_lease, held


def _beginning(book: Runbook[Any], opening: catalog.Opening) -> dict[str, Any]:
    environment = opening.environment
    return {
        "run": opening.run,
        "runbook": book.name,
        "title": book.title,
        "environment": environment.name,
        "label": environment.label,
        "protected": environment.protected,
        "sandbox": environment.sandbox,
        "overtakes": book.overtakes,
        "operator": lease.operator(),
        "tool": edition(),
        "parameters": dict(opening.parameters),
        "steps": [{"name": step.name, "title": step.title} for step in book.steps],
        "digest": book.digest(),
        "previous": runs.previous(opening.runs),
    }


def _header(journal: Journal, folder: Path) -> Mapping[str, Any]:
    if not journal.records:
        raise InputError("the run was killed before it began", where=str(folder), mend="begin a new run")
    return journal.records[0].data
