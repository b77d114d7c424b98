"""A drill: a snapshot restored, proven and thrown away again, with the times that it took."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import wraps

from runbooks.engine.errors import Reason, RunbookError, SystemFault
from runbooks.engine.step import Scope
from runbooks.steps import drill_history, proof, restoration
from runbooks.steps.restoring import Restoring
from runbooks.systems.postgres import databases
from runbooks.systems.postgres.cluster import Cluster
from runbooks.systems.postgres.fingerprint import tables
from runbooks.systems.postgres.flip import fingerprint_with_one_value_changed
from runbooks.systems.snapshots import drills
from runbooks.systems.snapshots.drills import FAILED, MISSED, PROVEN, Drill
from runbooks.systems.snapshots.portrait import unequal_rows

START = "start-server"
STAGES = ("fetch", "create-sibling", "fill", "prove", "ask")
"""What stands between the decision to restore and a database that is proven to be of use."""

CLOCKS_APART = 60.0
"""Seconds by which the server's clock may be ahead of ours."""


@dataclass
class Drilling(Restoring):
    """A restore whose database is not kept.

    Attributes:
        seconds: How long each stage took.
        wrong: What went wrong.
        cluster: The server that it is restored into; None: the live database's own.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    cluster: Cluster | None = None

    def recorded(self) -> Drill | None:
        """What this drill came to, once it is over."""
        return drills.of_run(self.snapshots.shelf.store, self.run)


Act = Callable[[Drilling, Scope], str]
Done = Callable[[Drilling, Scope], bool]


def timed(stage: str, act: Act) -> Act:
    """The act of a stage, measured; what goes wrong in it is remembered for the record."""

    @wraps(act)
    def measured(work: Drilling, scope: Scope) -> str:
        began = time.monotonic()
        try:
            told = act(work, scope)
        except RunbookError as error:
            work.wrong += work.differences or [f"{stage}: {error.what}{f': {error.found}' if error.found else ''}"]
            raise
        work.seconds[stage] = round(time.monotonic() - began, 3)
        return told

    return measured


def unless_over(done: Done) -> Done:
    """A stage's postcondition, which nobody asks for any more once the drill is recorded."""

    @wraps(done)
    def asked(work: Drilling, scope: Scope) -> bool:
        return work.recorded() is not None or done(work, scope)

    return asked


def unless_recorded(act: Callable[[Restoring, Scope], str]) -> Act:
    """A stage that only reads: once the drill is recorded, its database may be gone already."""

    @wraps(act)
    def asked(work: Drilling, scope: Scope) -> str:
        return "it is recorded" if work.recorded() else act(work, scope)

    return asked


def prove(work: Drilling, scope: Scope) -> str:
    """Prove that the copy is equal, and that the proof would have noticed one changed value.

    Raises:
        SystemFault: it is not, or would not.
    """
    told = proof.prove(work, scope)
    return f"{told}; {_self_test(work)}"


def _self_test(work: Drilling) -> str:
    with work.snapshots.access.connection(work.sibling) as connection:
        for table in reversed(tables(connection)):  # the smallest that has rows
            recorded = work.contents.tables.get(table.identifier)
            if recorded is None or not recorded.rows:
                continue
            changed = fingerprint_with_one_value_changed(connection, table)
            if changed is None:
                continue
            if list(unequal_rows({table.identifier: recorded}, {table.identifier: changed})):
                return f"one changed value in {table.identifier} is noticed"
            raise SystemFault(
                "the proof does not notice a changed value, so it proves nothing",
                reason=Reason.FAILED,
                where=table.identifier,
            )
    raise SystemFault("no table has a value that can be changed, so the proof can't be tested", reason=Reason.FAILED)


def record(work: Drilling, scope: Scope) -> str:
    """Keep in the store what the drill came to, against the inventory's targets."""
    backup = work.snapshots.environment.backup
    stages = (*STAGES, START) if work.cluster else STAGES
    measured = all(stage in work.seconds for stage in stages)
    rto = round(sum(work.seconds[stage] for stage in stages), 3) if measured else None
    age = round((datetime.now(UTC) - work.snapshots.shelf.find("newest").taken).total_seconds(), 3)
    rpo = max(age, 0.0) if age > -CLOCKS_APART else None
    missed = []
    if rpo is None:
        missed.append(
            f"the newest snapshot was taken {-age / 3600:.1f} h in the future: a clock is wrong, here or there"
        )
    if backup.rto_minutes and rto is not None and rto > backup.rto_minutes * 60:
        missed.append(f"restoring took {rto / 60:.1f} min, at most {backup.rto_minutes} are allowed")
    if backup.rpo_hours and rpo is not None and rpo > backup.rpo_hours * 3600:
        missed.append(f"the newest snapshot is {rpo / 3600:.1f} h old, at most {backup.rpo_hours} are allowed")
    drill = _drill(work, MISSED if missed else PROVEN, rto=rto, rpo=rpo, found=tuple(missed))
    drills.put(work.snapshots.shelf.store, drill)
    _show_history(work, scope)
    told = (
        f"RTO {f'{rto:.1f} s' if rto is not None else 'not measured: it was interrupted'},"
        f" RPO {f'{rpo:.0f} s' if rpo is not None else 'not known'}"
    )
    scope.record("drill", verdict=drill.verdict, snapshot=drill.snapshot, rto=rto, rpo=rpo, text=told)
    return "; ".join([told, *missed])


def is_recorded(work: Drilling, _scope: Scope) -> bool:
    return work.recorded() is not None


def record_failure(work: Drilling, scope: Scope) -> str:
    """A drill that did not come to its end has failed, and that is kept, too."""
    if work.recorded() is not None:
        return "it is recorded"
    if scope.stopping:
        return "stopped; it can be gone on with"
    found = tuple(work.wrong) or ("it did not come to its end",)
    drills.put(work.snapshots.shelf.store, _drill(work, FAILED, found=found))
    _show_history(work, scope)
    return f"failed: {found[0]}"


def _show_history(work: Drilling, scope: Scope) -> None:
    """Put all drills into the run's journal, from which its log is rendered."""
    known, damage = drills.readable(work.snapshots.shelf.store)
    scope.record("page", **drill_history.page(known, damage, work.snapshots.environment.backup))


def remove(work: Drilling, scope: Scope) -> str:
    """Drop the restored database, and the archive."""
    restoration.forget(work, scope)
    return restoration.drop(work, scope)


def removed(work: Drilling, _scope: Scope) -> bool:
    """Whether nothing of it is left."""
    with work.snapshots.access.connection() as connection:
        return not databases.exists(connection, work.sibling) and not work.folder.exists()


def _drill(
    work: Drilling, verdict: str, *, rto: float | None = None, rpo: float | None = None, found: tuple[str, ...] = ()
) -> Drill:
    manifest = work.manifest
    return Drill(
        run=work.run,
        verdict=verdict,
        snapshot=manifest.id,
        ended=datetime.now(UTC),
        server=manifest.major,
        heads=manifest.heads,
        tables=manifest.tables,
        rows=manifest.rows,
        bytes=manifest.bytes,
        rto=rto,
        rpo=rpo,
        seconds=work.seconds,
        found=found,
    )
