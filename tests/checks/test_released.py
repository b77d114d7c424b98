"""What checks read in the ledgers of releases, where no fault of the sandbox reaches: what is green, and time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from runbooks.checks import watch_hourly
from runbooks.checks.rollback_rehearsed import rehearsals
from runbooks.checks.subject import Subject
from runbooks.engine.check import Finding
from runbooks.engine.outcome import Verdict
from runbooks.sandbox.faults import released
from runbooks.sandbox.faults.fault import Means
from runbooks.sandbox.world import Sandbox
from runbooks.systems.ledger.ledger import DEPLOYED, Ledger
from runbooks.systems.releases.history import History
from runbooks.systems.releases.ledger import Releases
from runbooks.systems.releases.record import Entry, Kind, Release
from runbooks.systems.store.folder import FolderStore
from tests.checks.verifying import report, verify

COMMIT = "c" * 40
ROLLBACK = ("rollback.rehearsed", "rollback.variables-kept", "rollback.database-restorable")


@contextmanager
def injected(sandbox: Sandbox, means: Means) -> Iterator[None]:
    means.inject(sandbox)
    try:
        yield
    finally:
        means.mend(sandbox)


def test_a_past_with_a_release_a_snapshot_and_a_rehearsal_is_a_way_back(sandbox: Sandbox) -> None:
    young = verify(sandbox, "local", *ROLLBACK)
    past = released.recorded(after=released.over_newest_snapshot, went_back=timedelta(days=99))

    with injected(sandbox, past):
        found = report("local", *ROLLBACK)

    assert {young[name]["verdict"] for name in ROLLBACK} == {"skipped"}
    assert {name: found[name]["found"] for name in ROLLBACK if found[name]["verdict"] != "passed"} == {}
    assert "went back to" in found["rollback.rehearsed"]["found"]
    assert "all read" in found["rollback.database-restorable"]["found"]


def test_where_no_migration_lies_between_no_snapshot_is_needed(sandbox: Sandbox) -> None:
    with injected(sandbox, released.recorded(went_back=timedelta(days=1))):
        found = report("local", "rollback.database-restorable")["rollback.database-restorable"]

    assert (found["verdict"], "its code suits today's schema" in found["found"]) == ("skipped", True)


def test_staging_itself_is_not_asked_whether_it_was_tried_in_staging(sandbox: Sandbox) -> None:
    name = "migrations.tested-in-staging"

    here, there = report("local", name)[name], report("local-staging", name)[name]

    assert (here["verdict"], here["found"].startswith("v1 (")) == ("passed", True)
    assert (there["verdict"], there["found"]) == ("skipped", "this is staging")


def entry(kind: Kind, run: str, at: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> Entry:
    release = Release(id="r", version="v1", commit=COMMIT)
    return Entry(kind=kind, at=at, by="x", run=run, token=1, id="r", release=release)


def test_a_rollback_counts_once_it_came_to_its_end() -> None:
    entries = [entry(Kind.DEPLOYED, "1"), entry(Kind.ROLLED_BACK, "2"), entry(Kind.WITHDRAWN, "2")]
    entries += [entry(Kind.ROLLED_BACK, "3"), entry(Kind.UNDONE, "4"), entry(Kind.BEGAN, "5")]

    assert [each.run for each in rehearsals(History.of(entries))] == ["3"]


def hourly(folder: Path) -> Finding:
    site = SimpleNamespace(
        commit=COMMIT,
        ledger=Ledger(folder / "watch"),
        shelf=SimpleNamespace(store=FolderStore(folder / "store")),
    )
    subject = SimpleNamespace(site=site, environment=SimpleNamespace(name="production"))
    return watch_hourly.hourly_health.look(cast("Subject", subject), {})


@pytest.mark.parametrize(("hours", "verdict"), [(3, Verdict.FAILED), (0.2, Verdict.SKIPPED)])
def test_the_watch_is_wanted_since_the_deploy_that_the_ledger_tells_of(
    hours: float, verdict: Verdict, tmp_path: Path
) -> None:
    deployed = datetime.now(UTC) - timedelta(hours=hours)
    Releases(FolderStore(tmp_path / "store")).append(entry(Kind.DEPLOYED, "1", deployed))

    found = hourly(tmp_path)

    assert (found.verdict, "deployed " in found.found) == (verdict, True), found.found


def test_a_start_after_the_deploy_begins_the_day_anew(tmp_path: Path) -> None:
    Releases(FolderStore(tmp_path / "store")).append(entry(Kind.DEPLOYED, "1", datetime.now(UTC) - timedelta(hours=30)))
    Ledger(tmp_path / "watch").append(DEPLOYED, COMMIT, {})

    assert hourly(tmp_path).verdict is Verdict.SKIPPED
