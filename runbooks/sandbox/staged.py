"""What an operator of staging does: puts the release to work there, and records it once it has proved itself."""

from __future__ import annotations

from datetime import UTC, datetime

from runbooks.checks.health import database_problem, health_problem
from runbooks.engine.errors import RunbookError
from runbooks.engine.lease import operator
from runbooks.engine.step import Scope
from runbooks.engine.wait import until
from runbooks.environment.load import load
from runbooks.environment.site import Site
from runbooks.sandbox.world import Sandbox
from runbooks.steps.release_state import heads_of
from runbooks.systems.releases.ledger import Releases
from runbooks.systems.releases.record import Entry, Kind, Release, State
from runbooks.systems.variables.copies import Copies

NAME = "local-staging"
SECONDS = 40.0
"""A machine that is busy starting everything may let it wait."""


def record(sandbox: Sandbox, scope: Scope) -> str:
    """Write into staging's ledger what runs there, once it has proved itself, unless that is known.

    A sandbox without it is still one, so nothing here makes its start fail.
    """
    if faults := sandbox.faults():
        return f"left out: {', '.join(faults)} is injected"
    site = Site(load(sandbox.project / "inventory", NAME), sandbox.redactor)
    try:
        return _record(sandbox, site, scope)
    except RunbookError as error:
        return f"not recorded: {error.what}"
    finally:
        site.close()


def _record(sandbox: Sandbox, site: Site, scope: Scope) -> str:
    store = site.shelf.store
    releases = Releases(store)
    history, placed = releases.history(), site.hosting.serving(site.hosting.hosts[0])
    if placed is None:
        return "nothing runs there"
    if history.current and history.current.id == placed.release.id:
        return "known before"
    copy = Copies(store).newest()
    until(lambda: _is_well(site), seconds=SECONDS, pause=0.5, what=f"{NAME} did not prove itself")
    release = Release(
        id=placed.release.id,
        version=str(sandbox.deployed(NAME)["revision"]),
        commit=placed.release.commit,
        heads=heads_of(site),
        variables=site.variables_fingerprint(),
        variables_backup=copy.id if copy else None,
        migrates_at_start="alembic upgrade" in site.source.start_command(),
    )
    entry = Entry(
        kind=Kind.DEPLOYED,
        at=datetime.now(UTC),
        by=operator(),
        run=scope.run,
        token=max((each.token for each in history.entries), default=0),
        id=release.id,
        release=release,
        state=State.STABLE,
    )
    releases.append(entry)
    return f"{release.version} has proved itself in {NAME}"


def _is_well(site: Site) -> bool:
    """Whether it has proved itself there: by its health pages, and its schema."""
    pages = health_problem(site.application.get("/health")) or database_problem(site.application.get("/health/db"))
    return not pages and list(heads_of(site)) == site.source.migration_heads()
