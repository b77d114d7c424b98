"""``rollback``: the release before to work again."""

from __future__ import annotations

from invoke.context import Context
from invoke.tasks import task

from runbooks.tasks.starting import CONFIRM, ENV, PLAN, REASON, finish


@task(
    name="rollback",
    help={
        "to": "a release's id, version or commit (default: the newest stable one before what runs)",
        "restore-data": "also put back the data as that release left them; what was written since goes into quarantine",
        "keep-data": "code only: the data stay as they are",
        "undo": "take this rollback back: the newer release, and the database that was put aside (a run's id)",
        "env": ENV,
        "plan": PLAN,
        "confirm": CONFIRM,
        "reason": REASON,
    },
)
def rollback(
    c: Context,
    to: str | None = None,
    restore_data: bool = False,
    keep_data: bool = False,
    undo: str | None = None,
    env: str | None = None,
    plan: bool = False,
    confirm: str | None = None,
    reason: str = "",
) -> None:
    """Put the release before to work again, with its data where a migration lies between.

    Exit codes: 0 done, 2 there is no such way back, 6 failed and taken back, 7 failed and a person has to look.
    """
    from runbooks import rollback as book
    from runbooks.options import Options

    options = Options(environment=env, plan=plan or bool(c.config.run.dry), confirm=confirm, reason=reason)
    finish(lambda: book.start(to, restore_data=restore_data, keep_data=keep_data, undo=undo, options=options))
