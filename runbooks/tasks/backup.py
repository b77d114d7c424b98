"""``backup.*``: snapshots of the database, and the proof that they restore."""

from __future__ import annotations

from invoke.context import Context
from invoke.tasks import task

from runbooks.tasks.starting import CONFIRM, ENV, PLAN, REASON, SNAPSHOT, collection, finish, start, start_on


@task(name="create", help={"env": ENV, "plan": PLAN, "confirm": CONFIRM, "reason": REASON})
def create(
    c: Context, env: str | None = None, plan: bool = False, confirm: str | None = None, reason: str = ""
) -> None:
    """Take a snapshot of the database: dumped and fingerprinted at one moment, in the store."""
    start(c, "backup.create", environment=env, plan=plan, confirm=confirm, reason=reason)


@task(name="list", help={"env": ENV})
def list_(_c: Context, env: str | None = None) -> None:
    """The snapshots in the store, oldest first."""
    from runbooks import snapshots

    finish(lambda: snapshots.show_list(env))


@task(name="show", help={"snapshot": SNAPSHOT, "env": ENV})
def show(_c: Context, snapshot: str = "newest", env: str | None = None) -> None:
    """What a snapshot holds, and when it was taken."""
    from runbooks import snapshots

    finish(lambda: snapshots.show(snapshot, env))


@task(name="verify", help={"snapshot": SNAPSHOT, "env": ENV, "plan": PLAN})
def verify(c: Context, snapshot: str = "newest", env: str | None = None, plan: bool = False) -> None:
    """Whether every object of a snapshot is what was put into the store.

    Exit codes: 0 intact, 3 damaged, 4 undecided (it is encrypted, and there is no key to read it with).
    """
    start_on(c, "backup.verify", snapshot, environment=env, plan=plan)


@task(
    name="restore",
    help={
        "snapshot": SNAPSHOT,
        "switch": "then put it in the place of the live database, which is kept in quarantine",
        "env": ENV,
        "plan": PLAN,
        "confirm": CONFIRM,
        "reason": REASON,
    },
)
def restore(
    c: Context,
    snapshot: str = "newest",
    switch: bool = False,
    env: str | None = None,
    plan: bool = False,
    confirm: str | None = None,
    reason: str = "",
) -> None:
    """Restore a snapshot into a new database beside the live one, and prove them equal. The live one is not touched.

    With --switch it is replaced then: writers are ended, and the rows since are kept in quarantine.
    """
    asked = {"switch": True} if switch else {}
    start_on(
        c, "backup.restore", snapshot, environment=env, plan=plan, confirm=confirm, reason=reason, parameters=asked
    )


@task(
    name="drill",
    help={
        "snapshot": SNAPSHOT + ", or 'random'",
        "cluster": "restore into a server that is started for it, rather than beside the live database",
        "env": ENV,
        "plan": PLAN,
        "confirm": CONFIRM,
        "reason": REASON,
    },
)
def drill(
    c: Context,
    snapshot: str = "newest",
    cluster: bool = False,
    env: str | None = None,
    plan: bool = False,
    confirm: str | None = None,
    reason: str = "",
) -> None:
    """Prove that a snapshot restores, and how long that takes; the restored database is dropped again.

    Every drill tests itself: it changes one value in a transaction and fails unless the comparison notices.
    Exit codes: 0 proven within the targets, 3 proven but not within them, 6 failed.
    """
    asked = {"cluster": True} if cluster else {}
    start_on(c, "backup.drill", snapshot, environment=env, plan=plan, confirm=confirm, reason=reason, parameters=asked)


@task(
    name="history",
    help={
        "env": ENV,
        "format": "console, markdown (with charts), svg (a picture) or json, on standard output (default: console)",
    },
)
def history(_c: Context, env: str | None = None, format: str = "console") -> None:
    """What drills came to over time: RTO and RPO against the inventory's targets."""
    from runbooks import snapshots

    finish(lambda: snapshots.show_history(env, format))


@task(name="prune", help={"env": ENV, "plan": PLAN, "confirm": CONFIRM, "reason": REASON})
def prune(c: Context, env: str | None = None, plan: bool = False, confirm: str | None = None, reason: str = "") -> None:
    """Remove the snapshots that [backup.keep] does not keep, and what killed runs have left.

    Never the newest, the last proven one, nor one that a rollback would restore.
    Exit codes: 0 done, 4 something could not be removed or looked at.
    """
    start(c, "backup.prune", environment=env, plan=plan, confirm=confirm, reason=reason)


TASKS = collection("backup", create, list_, show, verify, restore, drill, history, prune)
