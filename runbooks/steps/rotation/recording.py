"""A rotation in the ledger of releases: what runs is the same release, with other variables."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from runbooks.engine.lease import operator
from runbooks.engine.step import Scope
from runbooks.environment.snapshots import Snapshots
from runbooks.environment.variable_copies import VariableCopies
from runbooks.steps.rotation.protocol import AFTER, STAYS
from runbooks.steps.rotation.rotating import Rotating
from runbooks.systems.platform.hosting import Placement
from runbooks.systems.releases.record import Entry, Kind, Release
from runbooks.systems.secrets.versions import Stage


def record(rotating: Rotating, scope: Scope) -> str:
    """Say there that the release runs with other variables."""
    current = _recorded_release(rotating)
    if current is None:
        return "what runs was not put to work by this tool, so there is nothing to say in its ledger"
    serving = _serving(rotating)
    copy = VariableCopies(Snapshots(rotating.site)).made_by(rotating.run, AFTER)
    renewed = replace(
        current,
        variables=(serving.fingerprint or None) if serving else None,
        variables_backup=copy.id if copy else current.variables_backup,
    )
    entry = rotating.releases.append(_entry(rotating, scope, Kind.RENEWED, renewed.id, renewed))
    return f"{renewed.id} runs with other variables, entry {entry.number} of {rotating.releases}"


def is_recorded(rotating: Rotating, _scope: Scope) -> bool:
    return _recorded_release(rotating) is None or _said(rotating, Kind.RENEWED)


def withdraw(rotating: Rotating, scope: Scope) -> str:
    """Say there that it runs with those before."""
    if rotating.stages() == {Stage.RETIRED}:
        return STAYS
    said = [each for each in rotating.releases.entries() if (each.run, each.kind) == (rotating.run, Kind.RENEWED)]
    if not said:
        return "nothing was said"
    rotating.releases.append(_entry(rotating, scope, Kind.WITHDRAWN, said[0].id))
    return f"{said[0].id} runs with the variables from before"


def _recorded_release(rotating: Rotating) -> Release | None:
    """What runs, where the ledger says so, too."""
    current, serving = rotating.releases.history().current, _serving(rotating)
    return current if current and serving and serving.release.id == current.id else None


def _serving(rotating: Rotating) -> Placement | None:
    """What the first host serves."""
    if rotating.site.environment.platform.hosts is None or not rotating.kind.deployed:
        return None
    hosting = rotating.site.hosting
    return hosting.serving(hosting.hosts[0])


def _said(rotating: Rotating, kind: Kind) -> bool:
    return any((each.run, each.kind) == (rotating.run, kind) for each in rotating.releases.entries())


def _entry(rotating: Rotating, scope: Scope, kind: Kind, id: str, release: Release | None = None) -> Entry:
    return Entry(
        kind=kind, at=datetime.now(UTC), by=operator(), run=rotating.run, token=scope.token, id=id, release=release
    )
