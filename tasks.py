"""The runbooks as Invoke tasks. No logic here: each task hands its arguments to the package.

Nothing that a task needs is imported before it runs, so that ``invoke --list`` stays as fast as an empty project's.
"""

from __future__ import annotations

import atexit
import gc
from collections.abc import Callable, Iterable
from typing import Any

from invoke.collection import Collection
from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

from runbooks.engine.errors import RunbookError

# Commands live for seconds and are mostly imports, which make no garbage worth looking for: a tenth of their time.
gc.set_threshold(100_000)
atexit.register(gc.freeze)

ENV = "environment: a folder in inventory/ (default: RUNBOOKS_ENV, else the embedded sandbox while it is the only one)"
PLAN = "show what would be done; everything is read, nothing is changed"
CONFIRM = "the environment's name, instead of typing it (needed without a terminal for a protected environment)"
SNAPSHOT = "a snapshot's id, its beginning or end, or 'newest' (the default)"
REASON = "why, for whoever meets the lease or reads the log"
RUN = "a run's id, its beginning or end, or 'latest'"


def _finish(call: Callable[[], int | None]) -> None:
    """Turn a returned exit code, or an error that an operator can cause, into this process's."""
    try:
        code = call()
    except RunbookError as error:
        raise Exit(str(error), code=error.exit_code) from error
    except KeyboardInterrupt:
        raise Exit("stopped before anything was begun", code=130) from None
    if code:
        raise Exit(code=code)


def _change(c: Context, call: Callable[[], int | None]) -> None:
    """As `_finish`, for a command that changes something and has no plan to show: ``--dry`` refuses it."""
    if c.config.run.dry:
        raise Exit("this command has no plan, so with --dry it does nothing; leave --dry out to do it", code=2)
    _finish(call)


def _start(c: Context, name: str, *, plan: bool = False, **options: Any) -> None:
    from runbooks import command

    dry = plan or bool(c.config.run.dry)
    _finish(lambda: command.start(name, command.Options(plan=dry, **options)))


def _start_on(c: Context, name: str, snapshot: str, *, plan: bool = False, **options: Any) -> None:
    from runbooks import command, snapshots

    dry = plan or bool(c.config.run.dry)
    _finish(lambda: snapshots.start(name, snapshot, command.Options(plan=dry, **options)))


@task(
    name="verify",
    help={
        "env": ENV,
        "section": "only the checks of one section of the document, e.g. Security",
        "only": "only these checks, by id or number, separated by commas, with what they depend on",
        "plan": PLAN,
        "no-spend": "leave out what costs money at a provider; it is then unknown",
        "format": "console, json or markdown, on standard output (default: console)",
    },
)
def release_verify(
    c: Context,
    env: str | None = None,
    section: str | None = None,
    only: str | None = None,
    plan: bool = False,
    no_spend: bool = False,
    format: str = "console",
) -> None:
    """Is it safe to go live? Every check, one verdict.

    Exit codes: 0 GO, 3 NO-GO, 4 undecided (something required is unknown), 2 bad inventory or input.
    """
    parameters = {"section": section, "only": only, "no_spend": no_spend}
    _start(c, "release.verify", environment=env, plan=plan, format=format, parameters=parameters)


@task(
    name="watch",
    help={
        "hours": "for how long (default: 1)",
        "every": "seconds between two samples (default: 60)",
        "env": ENV,
        "once": "take one sample for the ledger and end: for a timer that runs every hour or more often",
        "plan": PLAN,
    },
)
def release_watch(
    c: Context,
    hours: str = "1",
    every: str = "60",
    env: str | None = None,
    once: bool = False,
    plan: bool = False,
) -> None:
    """Watch a release: health, latency, errors, resources, queries. Ends with a report; goes on after a kill.

    Exit codes: 0 WELL, 3 NOT WELL, 4 undecided (there are gaps), 2 bad inventory or input.
    """
    if once and not (plan or c.config.run.dry):
        from runbooks.watch import sample_once

        _finish(lambda: sample_once(env))
        return
    _start(c, "release.watch", environment=env, plan=plan, parameters={"hours": hours, "every": every})


@task(
    name="load",
    help={
        "rate": "requests per second, whatever the application does (default: load.rate of the inventory)",
        "minutes": "for how long (default: load.minutes of the inventory)",
        "env": ENV,
        "confirm": CONFIRM,
        "plan": PLAN,
    },
)
def release_load(
    c: Context,
    rate: str | None = None,
    minutes: str | None = None,
    env: str | None = None,
    confirm: str | None = None,
    plan: bool = False,
) -> None:
    """Rehearse the expected load where the inventory allows it, and keep the percentiles.

    Exit codes: 0 the budget was met, 3 it was missed, 2 this load is not declared in the inventory.
    """
    parameters = {"rate": rate, "minutes": minutes}
    _start(c, "release.load", environment=env, plan=plan, confirm=confirm, parameters=parameters)


@task(name="create", help={"env": ENV, "plan": PLAN, "confirm": CONFIRM, "reason": REASON})
def backup_create(
    c: Context, env: str | None = None, plan: bool = False, confirm: str | None = None, reason: str = ""
) -> None:
    """Take a snapshot of the database: dumped and fingerprinted at one moment, in the store."""
    _start(c, "backup.create", environment=env, plan=plan, confirm=confirm, reason=reason)


@task(name="list", help={"env": ENV})
def backup_list(_c: Context, env: str | None = None) -> None:
    """The snapshots in the store, oldest first."""
    from runbooks import snapshots

    _finish(lambda: snapshots.show_list(env))


@task(name="show", help={"snapshot": SNAPSHOT, "env": ENV})
def backup_show(_c: Context, snapshot: str = "newest", env: str | None = None) -> None:
    """What a snapshot holds, and when it was taken."""
    from runbooks import snapshots

    _finish(lambda: snapshots.show(snapshot, env))


@task(name="verify", help={"snapshot": SNAPSHOT, "env": ENV, "plan": PLAN})
def backup_verify(c: Context, snapshot: str = "newest", env: str | None = None, plan: bool = False) -> None:
    """Whether every object of a snapshot is what was put into the store.

    Exit codes: 0 intact, 3 damaged, 4 undecided (it is encrypted, and there is no key to read it with).
    """
    _start_on(c, "backup.verify", snapshot, environment=env, plan=plan)


@task(
    name="restore",
    help={"snapshot": SNAPSHOT, "env": ENV, "plan": PLAN, "confirm": CONFIRM, "reason": REASON},
)
def backup_restore(
    c: Context,
    snapshot: str = "newest",
    env: str | None = None,
    plan: bool = False,
    confirm: str | None = None,
    reason: str = "",
) -> None:
    """Restore a snapshot into a new database beside the live one, and prove them equal. The live one is not touched."""
    _start_on(c, "backup.restore", snapshot, environment=env, plan=plan, confirm=confirm, reason=reason)


@task(
    name="drill",
    help={"snapshot": SNAPSHOT + ", or 'random'", "env": ENV, "plan": PLAN, "confirm": CONFIRM, "reason": REASON},
)
def backup_drill(
    c: Context,
    snapshot: str = "newest",
    env: str | None = None,
    plan: bool = False,
    confirm: str | None = None,
    reason: str = "",
) -> None:
    """Prove that a snapshot restores, and how long that takes; the restored database is dropped again.

    Exit codes: 0 proven within the targets, 3 proven but not within them, 6 failed.
    """
    _start_on(c, "backup.drill", snapshot, environment=env, plan=plan, confirm=confirm, reason=reason)


@task(name="list", help={"env": ENV})
def runs_list(_c: Context, env: str | None = None) -> None:
    """What ran, when, by whom, and how it ended."""
    from runbooks import history

    _finish(lambda: history.show_list(env))


@task(name="show", help={"run": RUN, "env": ENV}, positional=["run"])
def runs_show(_c: Context, run: str, env: str | None = None) -> None:
    """The log of one run, rendered from its journal."""
    from runbooks import history

    _finish(lambda: history.show_run(run, env))


@task(name="audit", help={"env": ENV})
def runs_audit(_c: Context, env: str | None = None) -> None:
    """Whether any run log was edited, removed or cut."""
    from runbooks import history

    _finish(lambda: history.show_audit(env))


@task(name="resume", help={"run": RUN, "env": ENV}, positional=["run"])
def runs_resume(c: Context, run: str, env: str | None = None) -> None:
    """Go on with a run that was interrupted."""
    from runbooks import command

    _change(c, lambda: command.resume(run, command.Options(environment=env)))


@task(name="abort", help={"run": RUN, "env": ENV}, positional=["run"])
def runs_abort(c: Context, run: str, env: str | None = None) -> None:
    """Take back what an interrupted run did."""
    from runbooks import command

    _change(c, lambda: command.resume(run, command.Options(environment=env), abort=True))


@task(
    name="coverage",
    help={
        "readme": "write the table in README.md instead of printing the list",
        "env": f"whose words are listed; {ENV}",
    },
)
def checklist_coverage(c: Context, readme: bool = False, env: str | None = None) -> None:
    """The document's 131 items, which have a check, and what people vouch for."""
    from runbooks import coverage

    if readme:
        _change(c, coverage.write_readme)
    else:
        _finish(lambda: coverage.show(env))


ITEM = "the item's id or number; checklist.coverage lists them"


@task(
    name="attest",
    help={
        "item": ITEM,
        "statement": "what is so",
        "evidence": "where that can be seen: a URL, or a file beside attestations.toml",
        "expires": "the last day on which it counts, at most a year from now, e.g. 2026-05-31",
        "by": "whose word it is (default: yours)",
        "env": ENV,
        "plan": PLAN,
        "confirm": CONFIRM,
    },
    positional=["item"],
)
def checklist_attest(
    c: Context,
    item: str,
    statement: str = "",
    evidence: str = "",
    expires: str = "",
    by: str = "",
    env: str | None = None,
    plan: bool = False,
    confirm: str | None = None,
) -> None:
    """Give your word for what no system can answer."""
    parameters = {"item": item, "statement": statement, "evidence": evidence, "expires": expires, "by": by}
    _start(c, "checklist.attest", environment=env, plan=plan, confirm=confirm, parameters=parameters)


@task(
    name="waive",
    help={
        "item": ITEM,
        "reason": "why it may stay failed for a while",
        "owner": "who answers for it",
        "until": "the last day on which it counts, at most 90 days from now, e.g. 2026-05-31",
        "env": ENV,
        "plan": PLAN,
        "confirm": CONFIRM,
    },
    positional=["item"],
)
def checklist_waive(
    c: Context,
    item: str,
    reason: str = "",
    owner: str = "",
    until: str = "",
    env: str | None = None,
    plan: bool = False,
    confirm: str | None = None,
) -> None:
    """Accept a failed item until a day; every log shows it."""
    parameters = {"item": item, "reason": reason, "owner": owner, "until": until}
    _start(c, "checklist.waive", environment=env, plan=plan, confirm=confirm, parameters=parameters)


@task(name="show", help={"env": ENV})
def lease_show(_c: Context, env: str | None = None) -> None:
    """Who is changing an environment right now."""
    from runbooks import history

    _finish(lambda: history.show_lease(env))


@task(name="break", help={"env": ENV, "reason": "who was asked, and why it is safe", "confirm": CONFIRM})
def lease_break(c: Context, reason: str, env: str | None = None, confirm: str | None = None) -> None:
    """Take the lease from a holder that is surely gone."""
    from runbooks import history

    _change(c, lambda: history.break_lease(env, reason, confirm))


@task(name="up", help={"plan": PLAN})
def sandbox_up(c: Context, plan: bool = False) -> None:
    """Start the embedded servers and application."""
    _start(c, "sandbox.up", environment="local", plan=plan)


@task(name="down", help={"plan": PLAN})
def sandbox_down(c: Context, plan: bool = False) -> None:
    """Stop them all; the data stays."""
    _start(c, "sandbox.down", environment="local", plan=plan)


@task(name="status")
def sandbox_status(_c: Context) -> None:
    """What runs, where, and which faults are injected."""
    from runbooks.sandbox import controls

    _finish(controls.show_status)


@task(name="reset", help={"confirm": "'sandbox', instead of typing it"})
def sandbox_reset(c: Context, confirm: str | None = None) -> None:
    """Stop the sandbox and delete its data."""
    from runbooks.sandbox import controls

    _change(c, lambda: controls.reset(confirm))


@task(name="faults")
def sandbox_faults(_c: Context) -> None:
    """Each fault, and the check that it turns red."""
    from runbooks.sandbox import controls

    _finish(controls.show_faults)


@task(name="break", help={"fault": "its name; sandbox.faults lists them"}, positional=["fault"])
def sandbox_break(c: Context, fault: str) -> None:
    """Inject a fault, to see a check fail."""
    from runbooks.sandbox import controls

    _change(c, lambda: controls.break_(fault))


@task(name="mend", help={"fault": "only this one (default: all that are injected)"})
def sandbox_mend(c: Context, fault: str | None = None) -> None:
    """Take injected faults back."""
    from runbooks.sandbox import controls

    _change(c, lambda: controls.mend(fault))


def _collection(name: str, tasks: Iterable[Any]) -> Collection:
    collection = Collection(name)
    for each in tasks:
        collection.add_task(each)
    return collection


namespace = Collection(
    _collection("release", [release_verify, release_watch, release_load]),
    _collection("backup", [backup_create, backup_list, backup_show, backup_verify, backup_restore, backup_drill]),
    _collection("runs", [runs_list, runs_show, runs_audit, runs_resume, runs_abort]),
    _collection("checklist", [checklist_coverage, checklist_attest, checklist_waive]),
    _collection("lease", [lease_show, lease_break]),
    _collection(
        "sandbox",
        [sandbox_up, sandbox_down, sandbox_status, sandbox_reset, sandbox_faults, sandbox_break, sandbox_mend],
    ),
)
