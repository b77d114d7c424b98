"""What a release's migrations would do, told ahead and linted; and the migration itself, once, with its timeouts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.engine.step import Scope
from runbooks.steps.deploying import LINTED, Deploying
from runbooks.steps.release_state import heads_of
from runbooks.systems.lint import revisions, squawk
from runbooks.systems.platform import hosting


@dataclass(frozen=True)
class Told:
    """What the release says of its migrations.

    Attributes:
        before: Where the schema was ahead of them; none: there was no schema.
        heads: Where they end.
        migrations: Each one that is new, and what linting it came to.
        migrates_at_start: Whether its start command migrates.
    """

    before: tuple[str, ...]
    heads: tuple[str, ...]
    migrations: Mapping[str, str]
    migrates_at_start: bool


def lint(work: Deploying, scope: Scope) -> str:
    """Find out what the new revisions do, as SQL, ahead of any of them."""
    if work.noted(LINTED):
        return "it was looked at before the run was interrupted"
    at = heads_of(work.site)
    found = ask(work, scope, work.wanted, at)
    major = work.making.snapshots.access.server_version() // 10000
    linted = [squawk.lint(each, major=major) for each in found.new]
    scope.record(
        LINTED,
        before=list(at),
        heads=list(found.heads),
        migrations={each.revision: each.effect.value for each in linted},
        migrates_at_start=found.migrates_at_start,
        text="; ".join(map(str, linted)) or "no new revision",
    )
    for each in linted:
        scope.say(str(each))
        for finding in each.telling:
            scope.say(f"  line {finding.line}, {finding.rule}: {finding.message}")
    if not linted:
        return f"nothing new; the schema stays at {', '.join(found.heads)}"
    breaks = [each.revision for each in linted if each.effect is squawk.Effect.CONTRACTING]
    warning = f"; until the switch, the release before runs over {', '.join(breaks)}" if breaks and work.before else ""
    if work.before and work.before.migrates_at_start:
        warning += f"; once migrated, {work.before.id} can't be started again, as it migrates when it starts"
    return f"{'; '.join(map(str, linted))}{warning}"


def told(work: Deploying) -> Told:
    """What `lint` found.

    Raises:
        SystemFault: it was not asked.
    """
    found = work.noted(LINTED)
    if found is None:
        raise SystemFault("the release's migrations were not looked at", reason=Reason.FAILED)
    return Told(tuple(found["before"]), tuple(found["heads"]), found["migrations"], found["migrates_at_start"])


def migrate(work: Deploying, scope: Scope) -> str:
    """Run them once, in the release, on the first host.

    Raises:
        SystemFault: a host was left out that could not live with the new schema; or they failed.
    """
    if work.left_out and work.hostile:
        raise SystemFault(
            "a host that keeps the release before would run over a schema that is not its own",
            reason=Reason.REFUSED,
            where=", ".join(work.left_out),
            found=f"{', '.join(work.hostile)} can't be relied on to suit it",
            mend="have the host answer, then deploy again",
        )
    printed = _run(work, scope, work.wanted, ("alembic", "upgrade", "head"), limits(work))
    for line in printed.strip().splitlines()[-20:]:
        scope.say(line)
    return f"the schema is at {', '.join(heads_of(work.site))}"


def migrated(work: Deploying, _scope: Scope) -> bool:
    """Whether the schema is where the release wants it."""
    return set(heads_of(work.site)) == set(told(work).heads)


def plan_migrate(work: Deploying) -> Iterator[str]:
    """What would be run, and how long it may wait."""
    yield f"alembic upgrade head, in the release on {work.hosts[0]}, with {limits(work)['PGOPTIONS'].reveal()}"


def limits(work: Deploying) -> Mapping[str, Secret]:
    """The variables that limit a migration; libpq reads them, which Alembic's synchronous drivers stand on."""
    lock, statement = work.declared.lock_timeout_seconds, work.declared.statement_timeout_seconds
    options = f"-c lock_timeout={int(lock * 1000)} -c statement_timeout={int(statement * 1000)}"
    return {"PGOPTIONS": Secret("PGOPTIONS", options)}


def ask(work: Deploying, scope: Scope, release: hosting.Release, heads: tuple[str, ...]) -> revisions.Told:
    """What a release says of its migrations, over a schema that is at these. Raises SystemFault: it says nothing."""
    return revisions.parse(_run(work, scope, release, revisions.argv(heads)))


def _run(
    work: Deploying,
    scope: Scope,
    release: hosting.Release,
    argv: tuple[str, ...],
    more: Mapping[str, Secret] | None = None,
) -> str:
    return work.hosting.changes(scope.token).run_in_release(
        work.hosts[0], release, argv, {**work.variables, **(more or {})}, seconds=scope.remaining()
    )
