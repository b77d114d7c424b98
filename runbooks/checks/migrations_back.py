"""Whether there is a way back from each of the release's migrations.

A migration that only adds needs none: the release before runs on over the new schema. From any other one the way back
is a snapshot, and that has to have been tried. A downgrade that Alembic would run is none by itself: it brings no row
back that was dropped or rewritten.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from runbooks.checks.declare import check
from runbooks.checks.recovery import VALID
from runbooks.checks.released import history_of
from runbooks.checks.subject import Subject
from runbooks.engine.check import Evidence, Finding, Severity, failed, passed, unknown
from runbooks.systems.lint import squawk
from runbooks.systems.snapshots import drills
from runbooks.systems.snapshots.drills import FAILED, Drill

SECONDS = 90.0
"""Rendering and linting some hundred revisions; they are looked at only where no drill has passed."""


@check(
    "migrations.rollback-plan",
    severity=Severity.CRITICAL,
    evidence=Evidence.LEDGER,
    target="store",
    seconds=SECONDS,
)
def rollback_plan(subject: Subject) -> Finding:
    expected = f"each migration of the release is additive, or a restore was proven within {VALID.days} days"
    known, damage = drills.readable(subject.site.shelf.store)
    if damage:
        return unknown(expected, f"the drills can't be read: {'; '.join(damage[:3])}", "compare them with a copy")
    effects, drill = _recorded(subject), _proven(known, subject.site.source.revisions())
    if drill and effects is None:
        return passed(expected, f"{_told(drill)}, so whatever they do")
    effects = _linted(subject) if effects is None else effects
    harmful = _harmful(effects)
    if not harmful:
        return passed(expected, f"{len(effects)} migrations are new in it, all additive" if effects else "none is new")
    if drill:
        return passed(expected, f"{harmful}; {_told(drill)}")
    mend = f"invoke backup.drill --env {subject.environment.name}"
    return failed(expected, f"{harmful}, and no restore of this schema was proven", mend)


def _told(drill: Drill) -> str:
    return f"run {drill.run} restored {drill.snapshot} on {drill.ended:%Y-%m-%d}"


def _proven(known: list[Drill], revisions: set[str]) -> Drill | None:
    """The last drill, if it has proven a restore of a schema that the release knows, and not too long ago."""
    drill = known[-1] if known else None
    if drill is None or drill.verdict == FAILED or datetime.now(UTC) - drill.ended > VALID:
        return None
    return drill if set(drill.heads) <= revisions else None


def _recorded(subject: Subject) -> Mapping[str, str] | None:
    """What the deploy of the release that runs has found its new migrations to do; None: no deploy was recorded."""
    current = history_of(subject).current
    return current.migrations if current and current.commit == subject.site.commit else None


def _linted(subject: Subject) -> Mapping[str, str]:
    """What each migration of the release does, as its SQL says."""
    site = subject.site
    told = site.interpreter.revisions(site.variables, SECONDS / 2)
    major = int(site.database.value("SHOW server_version_num")) // 10000
    return {each.id: squawk.lint(each, major=major).effect.value for each in told.new}


def _harmful(effects: Mapping[str, str]) -> str:
    found = [f"{name} is {effect}" for name, effect in effects.items() if effect != squawk.Effect.ADDITIVE]
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return ", ".join(found[:3]) + more
