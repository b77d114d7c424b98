"""``invoke sandbox.reset``: stop the sandbox, then throw away all that it holds. Run logs are elsewhere and stay."""

from __future__ import annotations

from runbooks.catalog import Opening, Prepared
from runbooks.engine.step import Runbook, Scope, Step
from runbooks.sandbox import disposal, down
from runbooks.sandbox.world import Sandbox


def prepare(opening: Opening) -> Prepared:
    """Put the runbook together for the checkout's one sandbox."""
    return Prepared(runbook(), Sandbox.of(opening.environment.project, opening.redactor))


def runbook() -> Runbook[Sandbox]:
    """The procedure. The lease is held throughout, so that nobody starts what is being deleted."""
    return Runbook(
        name="sandbox.reset",
        title="Throw the sandbox away",
        changes=True,
        steps=(
            *down.runbook().steps,
            Step(
                name="delete",
                title="Delete databases, keys, mails and the servers' logs",
                act=delete,
                done=lambda sandbox, _: disposal.empty(sandbox.layout),
                seconds=120,
            ),
        ),
    )


def delete(sandbox: Sandbox, _scope: Scope) -> str:
    """Delete everything below the sandbox's folder."""
    disposal.delete(sandbox.layout)
    return f"{sandbox.layout.root} is gone"
