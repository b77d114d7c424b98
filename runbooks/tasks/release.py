"""``release.*``: is it safe to go live, and how does it do."""

from __future__ import annotations

from invoke.context import Context
from invoke.tasks import task

from runbooks.tasks.starting import CONFIRM, ENV, PLAN, REASON, RELEASE, collection, finish, start


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
def verify(
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
    start(c, "release.verify", environment=env, plan=plan, format=format, parameters=parameters)


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
def watch(
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

        finish(lambda: sample_once(env))
        return
    start(c, "release.watch", environment=env, plan=plan, parameters={"hours": hours, "every": every})


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
def load(
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
    start(c, "release.load", environment=env, plan=plan, confirm=confirm, parameters=parameters)


@task(name="list", help={"env": ENV})
def list_(_c: Context, env: str | None = None) -> None:
    """Every time that a release was put to work, oldest first; what runs now is marked."""
    from runbooks import releases

    finish(lambda: releases.show_list(env))


@task(name="show", help={"release": RELEASE, "env": ENV})
def show(_c: Context, release: str | None = None, env: str | None = None) -> None:
    """What the ledger knows of a release, and what going back to it would restore."""
    from runbooks import releases

    finish(lambda: releases.show(release, env))


@task(
    name="promote",
    help={"release": RELEASE, "env": ENV, "plan": PLAN, "confirm": CONFIRM, "reason": REASON},
)
def promote(
    c: Context,
    release: str | None = None,
    env: str | None = None,
    plan: bool = False,
    confirm: str | None = None,
    reason: str = "",
) -> None:
    """Hold a release for stable from now on: a rollback may go back to it."""
    parameters = {"release": release, "why": reason}
    start(c, "release.promote", environment=env, plan=plan, confirm=confirm, reason=reason, parameters=parameters)


@task(
    name="mark-bad",
    help={"release": RELEASE, "env": ENV, "plan": PLAN, "confirm": CONFIRM, "reason": "what it does wrong (needed)"},
)
def mark_bad(
    c: Context,
    release: str | None = None,
    env: str | None = None,
    plan: bool = False,
    confirm: str | None = None,
    reason: str = "",
) -> None:
    """Hold a release for bad from now on: no rollback goes back to it by itself."""
    parameters = {"release": release, "why": reason}
    start(c, "release.mark-bad", environment=env, plan=plan, confirm=confirm, reason=reason, parameters=parameters)


@task(
    name="deploy",
    help={
        "ref": "a tag, branch or commit of the release's repository, which is built",
        "release": "instead: a release of the ledger, which was built before and is put to work again",
        "env": ENV,
        "plan": PLAN,
        "confirm": CONFIRM,
        "reason": REASON,
    },
)
def deploy(
    c: Context,
    ref: str | None = None,
    release: str | None = None,
    env: str | None = None,
    plan: bool = False,
    confirm: str | None = None,
    reason: str = "",
) -> None:
    """Deploy a release: snapshot, migrate, switch without dropping a request, watch; taken back if it is not good.

    Exit codes: 0 deployed, 6 failed and taken back, 7 a person has to look (an inconclusive bake too), 5 leased.
    """
    from runbooks import command
    from runbooks import deploy as deploying

    dry = plan or bool(c.config.run.dry)
    options = command.Options(environment=env, plan=dry, confirm=confirm, reason=reason)
    finish(lambda: deploying.start(ref, release, options))


@task(name="status", help={"env": ENV})
def status(_c: Context, env: str | None = None) -> None:
    """Whether the ledger, the hosts and the database's schema agree on what runs.

    Exit codes: 0 consistent, 3 mixed, 4 something could not be looked at.
    """
    from runbooks import releases

    finish(lambda: releases.show_status(env))


@task(
    name="settle",
    help={"env": ENV, "plan": PLAN, "confirm": CONFIRM, "reason": "who knows that it is over, and from what (needed)"},
)
def settle(
    c: Context, env: str | None = None, plan: bool = False, confirm: str | None = None, reason: str = ""
) -> None:
    """Say in the ledger how a run ended that nobody can resume: by what the hosts and the schema are found to be."""
    start(c, "release.settle", environment=env, plan=plan, confirm=confirm, reason=reason, parameters={"why": reason})


TASKS = collection("release", verify, watch, load, deploy, list_, show, status, promote, mark_bad, settle)
