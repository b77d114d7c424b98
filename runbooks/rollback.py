"""``invoke rollback``: the release before to work again, where asked with its data; and ``--undo``, the way forward."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

from runbooks import backup, command, restore
from runbooks.catalog import Opening, Prepared
from runbooks.engine.errors import InputError
from runbooks.engine.redact import Redactor
from runbooks.engine.step import Conclusion, Runbook, Step
from runbooks.environment.site import Site
from runbooks.environment.snapshots import Snapshots
from runbooks.lifting import lifted, on
from runbooks.masking import masked
from runbooks.options import Options
from runbooks.places import open_environment
from runbooks.steps import baking, gate, going_back, rekeying_returned, restoration, slots, switching
from runbooks.steps.going_back import GoingBack, Present, Returning
from runbooks.steps.serving import without
from runbooks.steps.switching import Switching
from runbooks.steps.way_back import choose, with_data
from runbooks.systems.platform import hosting
from runbooks.systems.postgres.heads import heads_of
from runbooks.systems.postgres.quarantine import put_aside
from runbooks.systems.releases.ledger import Releases

LONG = 3600.0


def start(to: str | None, *, restore_data: bool, keep_data: bool, undo: str | None, options: Options) -> int:
    """Settle which release and which data, so that it stays those when the run is resumed; then begin.

    Raises:
        InputError: there is no such way back; the message names the one that there is.
    """
    if undo is not None and (to or restore_data or keep_data):
        raise InputError("--undo takes a whole rollback back, so it goes with no other choice", where="--undo")
    environment, redactor = open_environment(options.environment), Redactor()
    if (code := command.wake("rollback", environment, options)) is not None:
        return code
    with masked(redactor):
        site = Site(environment, redactor)
        try:
            asked = _undo(site, undo) if undo is not None else _back(site, to, restore_data, keep_data)
        finally:
            site.close()
    return command.start("rollback", replace(options, parameters=asked))


def _back(site: Site, to: str | None, restore_data: bool, keep_data: bool) -> dict[str, Any]:
    snapshots = Snapshots(site)
    way = choose(Releases(snapshots.shelf.store).history(), to, heads_of(snapshots.access))
    if way.snapshot not in snapshots.shelf.ids():
        way = replace(way, snapshot=None)  # pruned, as nobody was to go back so far
    ask = input if sys.stdin.isatty() else None
    data = with_data(way, restore=restore_data, keep=keep_data, ask=ask)
    return {"to": way.release.id, "from": way.leaves.id, "snapshot": way.snapshot if data else None}


def _undo(site: Site, run: str) -> dict[str, Any]:
    entry, before = going_back.rolled_back(Releases(Snapshots(site).shelf.store), run)
    return {"to": before.id, "from": entry.id, "undo": entry.run, "data": entry.data}


def prepare(opening: Opening) -> Prepared:
    """Put the runbook together for what was settled.

    Raises:
        InputError: the release or snapshot is not there any more.
        SystemFault: the inventory declares no hosts.
    """
    site = Site(opening.environment, opening.redactor)
    snapshots = Snapshots(site)
    _ = snapshots.database
    given, history = opening.parameters, Releases(snapshots.shelf.store).history()
    release, leaves = history.find(given["to"]), history.find(given["from"])
    work = GoingBack(
        site=site,
        snapshots=snapshots,
        wanted=hosting.Release(release.id, release.commit),
        run=opening.run,
        runs=opening.runs,
        release=release,
        leaves=leaves,
        undoes=given.get("undo") or "",
    )
    if given.get("snapshot"):
        manifest = snapshots.shelf.find(given["snapshot"])
        work.data = Switching(snapshots, manifest, opening.run)
        work.making = Present(snapshots, opening.run, leaves.commit)
        return Prepared(with_data_runbook(), work, site.close)
    if given.get("undo") and given.get("data"):
        work.returning = Returning(snapshots, opening.run, _in_quarantine(snapshots, given["undo"]), given["undo"])
        return Prepared(undo_runbook(), work, site.close)
    return Prepared(code_only_runbook(), work, site.close)


def _in_quarantine(snapshots: Snapshots, run: str) -> str:
    """The database that a run has put aside; it keeps that name while it is the live one again."""
    tail = f"{run[:8]}_{run.rpartition('-')[2]}"
    known = put_aside(snapshots.access, snapshots.database)
    return next((each.name for each in known if each.mark.run == run), f"{snapshots.database}__quarantine_{tail}")


def code_only_runbook() -> Runbook[GoingBack]:
    """The procedure where the data stay: nothing is written to the database."""
    return _runbook("Put the release before to work again", *_opening(), *_build(), *_traffic(), *_closing())


def with_data_runbook() -> Runbook[GoingBack]:
    """The procedure with the data: whatever takes long is done while the newer release goes on."""
    look, *begin = _opening()
    look_at_data = Step(
        name="look-at-data", title="See whether its data can be put back", act=on("data", switching.look), seconds=600
    )
    portray = Step(
        name="portray",
        title="Fingerprint the database that was put aside",
        act=going_back.portray,
        done=going_back.portrayed,
        seconds=restoration.SECONDS,
    )
    return _runbook(
        "Put the release before and its data to work again",
        *(look, look_at_data, *begin),
        *_present(),
        *(lifted("data", step) for step in (*restore.restoring(), restore.rekeying_step())),
        *_build(),
        *(lifted("data", step) for step in restore.switch_steps()),
        *_traffic(),
        portray,
        *_closing(),
    )


def undo_runbook() -> Runbook[GoingBack]:
    """The way forward: the newer release and the database that was put aside."""
    prove = Step(
        name="prove-return",
        title="Compare the database that comes back with what was put aside",
        act=going_back.prove_return,
        seconds=restoration.SECONDS,
    )
    rekey = replace(
        lifted("returning", restore.rekeying_step()),
        act=on("returning", rekeying_returned.rekey),
        done=on("returning", rekeying_returned.rekeyed),
        undo=on("returning", rekeying_returned.take_back),
    )
    switch, probe = (lifted("returning", step) for step in restore.switch_steps())
    switch = replace(switch, plan=going_back.plan_return)
    tidy = Step(
        name="tidy-return",
        title="Remove what the way back needed",
        act=on("returning", rekeying_returned.forget),
        done=on("returning", rekeying_returned.forgotten),
    )
    steps = (*_opening(), prove, rekey, *_build(), switch, probe, *_traffic(), tidy, *_closing())
    return _runbook("Take a rollback back, with its data", *steps)


def _present() -> tuple[Step[GoingBack], ...]:
    """A snapshot of the present, which stays also when the rollback is taken back."""
    look, dump, *rest = (
        replace(lifted("making", step), name=f"present-{step.name}") for step in backup.runbook().steps
    )
    return (replace(look, act=going_back.look_at_present), dump, *(replace(step, undo=None) for step in rest))


def _opening() -> tuple[Step[GoingBack], ...]:
    return (
        Step(
            name="look",
            title="See what serves, and whether the release is still there",
            act=going_back.look,
            plan=going_back.plan_look,
        ),
        Step(name="claim", title="Have the hosts refuse whoever was here before", act=slots.claim),
        Step(
            name="begin",
            title="Say in the ledger that this begins",
            act=going_back.begin,
            done=going_back.begun,
            undo=going_back.withdraw,
            plan=going_back.plan,
        ),
    )


def _build() -> tuple[Step[GoingBack], ...]:
    return (
        Step(
            name="build",
            title="Have the release on every host",
            act=slots.build,
            done=slots.is_built,
            plan=slots.plan_build,
            seconds=LONG,
        ),
        Step(
            name="place",
            title="Put it into the idle slot, with today's variables",
            act=slots.place,
            done=slots.placed,
            seconds=300,
        ),
    )


def _traffic() -> tuple[Step[GoingBack], ...]:
    return (
        Step(
            name="start",
            title="Start it beside what serves",
            act=slots.start,
            done=slots.started,
            undo=slots.stop_again,
            seconds=LONG,
        ),
        Step(
            name="gate",
            title="Have it prove itself there",
            act=gate.prove_itself,
            plan=gate.plan_to_prove,
            seconds=LONG,
        ),
        Step(
            name="switch-traffic",
            title="Send the requests there",
            before=slots.noted,
            act=slots.switch,
            done=slots.switched,
            undo=slots.switch_back,
            plan=slots.plan_switch,
            seconds=LONG,
        ),
        Step(name="smoke", title="Ask it for what must work", act=baking.smoke),
    )


def _closing() -> tuple[Step[GoingBack], ...]:
    return (
        Step(
            name="record",
            title="Write into the ledger what runs now",
            act=going_back.record,
            done=going_back.recorded,
        ),
        Step(
            name="retire",
            title="Let what served before end what it answers, and stop it",
            act=slots.rest,
            seconds=300,
            always=True,
        ),
        Step(name="announce", title="Write what users are to be told", act=going_back.announce),
    )


def _runbook(title: str, *steps: Step[GoingBack]) -> Runbook[GoingBack]:
    return Runbook(name="rollback", title=title, changes=True, conclude=_conclude, steps=steps)


def _conclude(work: GoingBack) -> Conclusion:
    """What runs now, and the way forward."""
    word = "UNDONE" if work.undoes else "ROLLED BACK"
    line = f"{word} {work.release.id} ({work.release.version}) runs instead of {work.leaves.id}"
    if work.data:
        line += f", with snapshot {work.data.manifest.id}; what was written since is kept as {work.data.aside}"
    if work.returning:
        line += (
            f", with the database from before the rollback; what was written since is kept as {work.returning.aside}"
        )
    forward = "" if work.undoes else f"; to take it back: invoke rollback --undo {work.run}"
    return Conclusion.saying(word, line + without(work) + forward, release=work.release.id, replaced=work.leaves.id)
