"""``quarantine.*``: databases that were replaced, and the rows that only they have."""

from __future__ import annotations

from invoke.context import Context
from invoke.tasks import task

from runbooks.tasks.starting import CONFIRM, ENV, PLAN, REASON, collection, finish

DATABASE = "a database's name, its beginning or end, or 'newest' (the default)"
AGAINST = "live (the default), or snapshot: the one that took its place, once backup.restore has restored it beside"


@task(name="list", help={"env": ENV})
def list_(_c: Context, env: str | None = None) -> None:
    """The databases that a restore or a rollback has replaced, oldest first."""
    from runbooks import quarantine

    finish(lambda: quarantine.show_list(env))


@task(
    name="diff",
    help={"database": DATABASE, "env": ENV, "format": "console or json (default: console)", "against": AGAINST},
)
def diff(
    _c: Context, database: str = "newest", env: str | None = None, format: str = "console", against: str = "live"
) -> None:
    """How many rows one has that the live database lacks, has otherwise, or has besides, table by table.

    It says of each table whether that was written before the databases were switched, or since.
    """
    from runbooks import quarantine

    finish(lambda: quarantine.show_difference(database, env, format, against))


@task(
    name="export",
    help={
        "database": DATABASE,
        "into": "a folder (default: one in var/quarantine, named after it)",
        "env": ENV,
        "store": "also put them into the store, encrypted to backup.recipients",
        "against": AGAINST,
    },
)
def export(
    _c: Context,
    database: str = "newest",
    into: str | None = None,
    env: str | None = None,
    store: bool = False,
    against: str = "live",
) -> None:
    """Write those rows to files in a folder that only you can enter: CSV per table, and an index."""
    from runbooks import quarantine

    finish(lambda: quarantine.export(database, into, env, store=store, against=against))


@task(
    name="fetch",
    help={"database": "its whole name; it may be dropped already", "into": "a folder, empty or not there", "env": ENV},
)
def fetch(_c: Context, database: str, into: str, env: str | None = None) -> None:
    """Bring what was exported to the store back into a folder that only you can enter."""
    from runbooks import quarantine

    finish(lambda: quarantine.fetch(database, into, env))


@task(
    name="drop",
    help={
        "database": "its name, or its beginning or end",
        "typed": "its whole name, instead of typing it",
        "young": "also if it was put aside less than 30 days ago",
        "env": ENV,
        "plan": PLAN,
        "confirm": CONFIRM,
        "reason": REASON,
    },
)
def drop(
    c: Context,
    database: str,
    typed: str | None = None,
    young: bool = False,
    env: str | None = None,
    plan: bool = False,
    confirm: str | None = None,
    reason: str = "",
) -> None:
    """Drop one for good, once its name is typed. Not while a rollback can still be undone with it."""
    from runbooks import quarantine
    from runbooks.options import Options

    options = Options(environment=env, plan=plan or bool(c.config.run.dry), confirm=confirm, reason=reason)
    finish(lambda: quarantine.drop(database, typed=typed, young=young, options=options))


TASKS = collection("quarantine", list_, diff, export, fetch, drop)
