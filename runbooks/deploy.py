"""``invoke release.deploy``: a release put to work without dropping a request, and taken back if it is not good.

What ran before goes on running in its slot until the new release is recorded, so the way back is one switch. Traffic
is taken back first; a schema that was migrated stays migrated until a person restores the snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from runbooks import command
from runbooks.catalog import Opening, Prepared
from runbooks.engine.errors import InputError
from runbooks.engine.redact import Redactor
from runbooks.engine.step import Conclusion, Runbook, Step
from runbooks.environment.site import Site
from runbooks.environment.snapshots import Snapshots
from runbooks.masking import masked
from runbooks.options import Options
from runbooks.places import open_environment
from runbooks.steps import baking, claiming, gate, keeping, migrating, preflight, slots, snapshot
from runbooks.steps.deploying import Deploying, on_making
from runbooks.steps.making import Making
from runbooks.steps.serving import without
from runbooks.systems.platform import hosting
from runbooks.systems.releases.ledger import Releases

LONG = 3600.0


def start(ref: str | None, release: str | None, options: Options) -> int:
    """Run it on one release. Which one is settled here: it stays that one when the run is resumed.

    Args:
        ref: A branch, tag or commit of the release's repository, to be built.
        release: One that was built and recorded before, to be put to work again.

    Raises:
        InputError: neither is given, or both are; or it can't be found.
    """
    if bool(ref) == bool(release):
        raise InputError(
            "which release?" if not ref else "a release is deployed, or a commit is built: not both",
            where="--ref, --release",
            mend="invoke release.deploy --ref TAG; invoke release.list shows those that were deployed",
        )
    environment, redactor = open_environment(options.environment), Redactor()
    if (code := command.wake("release.deploy", environment, options)) is not None:
        return code
    with masked(redactor):
        site = Site(environment, redactor)
        try:
            wanted = _again(site, release) if release else _built(site, str(ref))
        finally:
            site.close()
    return command.start("release.deploy", replace(options, parameters={**options.parameters, **wanted}))


def _again(site: Site, release: str) -> dict[str, str]:
    found = Releases(Snapshots(site).shelf.store).history().find(release)
    return {"id": found.id, "commit": found.commit, "version": found.version}


def _built(site: Site, ref: str) -> dict[str, str]:
    commit, version = site.history.commit(ref)
    return {"id": f"{datetime.now(UTC):%Y%m%dt%H%M%S}-{commit[:12]}", "commit": commit, "version": version}


def prepare(opening: Opening) -> Prepared:
    """Put the runbook together for an environment.

    Raises:
        InputError: the database's URL can't be read.
    """
    site = Site(opening.environment, opening.redactor)
    snapshots, given = Snapshots(site), opening.parameters
    _ = snapshots.database
    making = Making(snapshots, opening.run, None)
    work = Deploying(
        site=site,
        snapshots=snapshots,
        wanted=hosting.Release(given["id"], given["commit"]),
        run=opening.run,
        making=making,
        version=given["version"],
        runs=opening.runs,
    )
    if work.before is not None:
        making.release = work.before.commit
    return Prepared(runbook(), work, site.close)


def runbook() -> Runbook[Deploying]:
    """The procedure."""
    return Runbook(
        name="release.deploy",
        title="Deploy a release",
        changes=True,
        conclude=conclude,
        steps=(
            Step(
                name="preflight",
                title="See whether the way forward and the way back are open",
                act=preflight.preflight,
                plan=preflight.plan,
            ),
            Step(
                name="claim",
                title="Say in the ledger that it begins",
                act=claiming.claim,
                done=claiming.claimed,
                undo=claiming.withdraw,
            ),
            Step(
                name="build",
                title="Build it on every host",
                act=slots.build,
                done=slots.is_built,
                plan=slots.plan_build,
                seconds=LONG,
            ),
            *_snapshot(),
            Step(
                name="keep-variables",
                title="Keep a copy of its variables",
                act=keeping.keep,
                done=keeping.kept,
                plan=keeping.plan,
            ),
            Step(name="lint", title="See what its migrations do", act=migrating.lint, seconds=300),
            Step(
                name="baseline",
                title="Measure what runs now",
                act=baking.measure_baseline,
                seconds=LONG,
            ),
            Step(
                name="migrate",
                title="Migrate the schema, once",
                act=migrating.migrate,
                done=migrating.migrated,
                plan=migrating.plan_migrate,
                seconds=LONG,
            ),
            Step(
                name="start",
                title="Start it in the idle slot",
                act=slots.start,
                done=slots.started,
                undo=slots.stop_again,
                seconds=LONG,
            ),
            Step(name="gate", title="Have it prove itself there", act=gate.gate, plan=gate.plan, seconds=LONG),
            Step(
                name="switch",
                title="Send requests to it",
                before=slots.noted,
                act=slots.switch,
                done=slots.switched,
                undo=slots.switch_back,
                plan=slots.plan_switch,
                seconds=LONG,
            ),
            Step(name="smoke", title="Ask it for what must work", act=baking.smoke),
            Step(
                name="bake",
                title="Compare it with the release before",
                act=baking.bake,
                plan=baking.plan_bake,
                seconds=12 * LONG,
                acceptable=True,
            ),
            Step(name="record", title="Record it in the ledger", act=claiming.record, done=claiming.recorded),
            Step(
                name="retire",
                title="Let the release before end what it answers, and stop it",
                act=slots.retire,
                seconds=300,
                always=True,
            ),
        ),
    )


def _snapshot() -> Iterable[Step[Deploying]]:
    """Those of ``backup.create``. It is kept whatever happens after: the migration can't be taken back without it."""
    on: Callable[[Any], Any] = on_making

    def plan(of: Callable[[Making], Iterable[str]]) -> Callable[[Deploying], Iterable[str]]:
        return lambda work: of(work.making)

    yield Step(
        name="dump",
        title="Dump the database, and fingerprint it at the same moment",
        act=on(snapshot.dump),
        done=on(snapshot.dumped),
        plan=plan(snapshot.plan_dump),
        seconds=snapshot.SECONDS,
    )
    yield Step(
        name="upload",
        title="Put the dump into the store",
        act=on(snapshot.upload),
        done=on(snapshot.uploaded),
        plan=plan(snapshot.plan_upload),
        seconds=snapshot.SECONDS,
    )
    yield Step(
        name="publish",
        title="Write the manifest, which makes it a snapshot",
        act=on(snapshot.publish),
        done=on(snapshot.is_published),
    )
    yield Step(
        name="tidy",
        title="Remove the dump from this machine",
        act=on(snapshot.tidy),
        done=on(snapshot.tidied),
    )


def conclude(work: Deploying) -> Conclusion:
    """What runs now."""
    history = work.history()
    release = history.current
    assert release is not None, "it is recorded"
    state = history.state(release.id)
    line = f"DEPLOYED {release.version} to {work.site.environment.label}: {release.id} is {state}{without(work)}"
    return Conclusion.saying("DEPLOYED", line, release=release.id, snapshot=release.snapshot_before)
