"""The switch is killed anywhere, also inside its transaction: resumed or taken back, there is one live database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runbooks import project, restore
from runbooks.engine import audit
from runbooks.sandbox.world import Sandbox
from tests.crash.points import cases, in_doubt, points
from tests.crash.sandboxes import killed_at, succeeds
from tests.crash.test_backup import last_run
from tests.keyrings import filled
from tests.plain_vaults import PlainVault, plain_vault
from tests.rekeyed import ROWS, Rotated

STEPS = ("rekey", "switch", "probe")
AROUND = [point for point in points(restore.switching_runbook()) if point.endswith(STEPS) or point == "before:end"]
INSIDE = [
    'after-sql:CREATE TABLE "runbooks"',
    'after-sql:UPDATE "public"."user_api_config"',
    'before-sql:DROP TABLE "runbooks"',
    'after-sql:DROP TABLE "runbooks"',
    "after-sql:SET LOCAL lock_timeout",
    "after-sql:pg_terminate_backend",
    "after-sql:__quarantine_",
    'after-sql:RENAME TO "LIVE"',
    "after-sql:ALLOW_CONNECTIONS false",
    "after-sql:ALLOW_CONNECTIONS true",
]
"""While rows are encrypted anew, ahead of the renames, while sessions end, after each rename, and before the end of the
transaction.

What comes after its end is ``before:outcome/switch``.
"""

RESUMED, TAKEN_BACK = "before:outcome/switch", "after-sql:__quarantine_"
"""One that stands for the others, of each."""


@pytest.fixture
def vault(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PlainVault]:
    monkeypatch.setenv(project.VARIABLE, str(tmp_path))
    with plain_vault(sandbox, tmp_path) as made:
        rotated = Rotated.of(made)
        rotated.copied()
        made.create()
        rotated.rotate()
        made.execute("INSERT INTO note (body) VALUES ('written after the snapshot')")
        yield made


def killed(vault: PlainVault, point: str) -> None:
    with vault.session():
        killed_at(vault.shell, point.replace("LIVE", vault.database), "backup.restore", "--switch", "--env", "vault")
    live = vault.execute(f"SELECT datname FROM pg_database WHERE datname = '{vault.database}'", "postgres")
    assert len(live) == 1, "at no moment is there no database of that name"


def notes(vault: PlainVault, database: str | None = None) -> int:
    (row,) = vault.execute("SELECT count(*) AS count FROM note", database)
    return int(row["count"])


def is_recorded(vault: PlainVault) -> None:
    count, damage = audit.audit(vault.project / "var" / "runs" / "vault", vault.snapshots().shelf.store)
    assert count > 0
    assert damage == []


@pytest.mark.case(85)
@pytest.mark.parametrize("point", cases([*AROUND, *INSIDE], {RESUMED}))
def test_a_killed_switch_is_resumed_to_one_live_database(point: str, vault: PlainVault) -> None:
    killed(vault, point)

    said = succeeds(vault.shell, "runs.resume", last_run(vault))

    assert "SWITCHED" in said
    assert notes(vault) == 100
    assert Rotated(vault).values() == filled(ROWS), "the application opens every row"
    assert vault.execute("SELECT FROM pg_namespace WHERE nspname = 'runbooks'") == []
    (aside,) = vault.siblings()
    with vault.opened(aside):
        assert notes(vault, aside) == 101, "the rows since are kept"
    is_recorded(vault)


@pytest.mark.case(85, 92)
@pytest.mark.parametrize("point", cases([*in_doubt(AROUND), *INSIDE], {TAKEN_BACK}))
def test_a_killed_switch_is_taken_back_and_nothing_is_lost(point: str, vault: PlainVault) -> None:
    killed(vault, point)
    was_switched = any("__quarantine_" in name for name in vault.siblings("postgres"))

    succeeds(vault.shell, "runs.abort", last_run(vault), code=6)

    assert notes(vault) == 101, "the old database is live"
    assert Rotated(vault).values() == filled(ROWS)
    assert [name.endswith("_back") for name in vault.siblings()] == [True] * was_switched, "what was live is kept"
    is_recorded(vault)
