"""Where a rate limit is spent, evidence of an earlier run stands in, if it is of the same release and young enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from runbooks import evidence
from runbooks.checks.registry import known
from runbooks.engine.journal import FILE_NAME, Journal
from runbooks.engine.redact import Redactor
from runbooks.evidence import find_earlier
from runbooks.sandbox.world import Sandbox
from tests.checks.verifying import ailing, report, verify
from tests.shops import Shop

CHECK = known()["accounts.login"]
Writing = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path) -> Writing:
    """Writes a run that asked the check once."""

    def written(run: str, *, commit: str = "c1", fingerprint: str = "f1", **changed: Any) -> None:
        journal = Journal.create(tmp_path / run, Redactor())
        journal.append("release", commit=commit, fingerprint=fingerprint, text="")
        said = {"id": CHECK.id, "verdict": "passed", "expected": "wanted", "found": f"seen by {run}", "reused": None}
        journal.append("check", **said | changed)
        journal.close()

    return written


def found(runs: Path, *, commit: str | None = "c1", fingerprint: str | None = "f1", **changed: Any) -> str | None:
    earlier = find_earlier(runs, "own", commit, fingerprint, replace(CHECK, **changed))
    return earlier.finding.found if earlier else None


def test_the_newest_passed_of_the_same_release_and_variables_stands_in(write: Writing, tmp_path: Path) -> None:
    write("1-release.verify-x")
    write("2-release.verify-x")
    write("3-release.verify-x", commit="c2")
    write("4-release.verify-x", fingerprint="f2")
    write("5-release.verify-x", verdict="failed")
    write("6-release.verify-x", reused={"run": "1-release.verify-x", "at": "2026-01-01T00:00:00+00:00"})
    write("7-release.verify-x", id="accounts.refresh")
    write("own")

    assert found(tmp_path) == "seen by 2-release.verify-x"


def test_older_than_its_validity_it_does_not(write: Writing, tmp_path: Path) -> None:
    write("1-release.verify-x")

    assert found(tmp_path, valid_for=timedelta(0)) is None
    assert found(tmp_path, valid_for=timedelta(hours=1)) == "seen by 1-release.verify-x"


def test_without_knowing_release_and_variables_nothing_does(write: Writing, tmp_path: Path) -> None:
    write("1-release.verify-x")

    assert found(tmp_path, commit=None) is None
    assert found(tmp_path, fingerprint=None) is None


def test_a_journal_that_was_edited_proves_nothing(write: Writing, tmp_path: Path) -> None:
    write("1-release.verify-x")
    write("2-release.verify-x")
    journal = tmp_path / "2-release.verify-x" / FILE_NAME
    journal.write_text(journal.read_text() + "rubbish\n")
    (tmp_path / "3-release.verify-x").mkdir()
    (tmp_path / "3-release.verify-x" / FILE_NAME).symlink_to("nowhere")

    assert found(tmp_path) == "seen by 1-release.verify-x"


def test_runs_within_the_hours_limit_ask_and_the_next_one_shows_whose_evidence_it_uses(sandbox: Sandbox) -> None:
    fresh = verify(sandbox)
    assert ailing(fresh) == {}
    for _ in range(5):
        last = report("local")
        if last["accounts.register"]["reused"]:
            break

    assert ailing(last) == {}
    reused = {id for id, check in last.items() if check["reused"]}
    assert {"accounts.register", "accounts.login", "byok.delete", "final.registration"} <= reused
    assert all(last[id]["reused"]["run"] and last[id]["reused"]["at"] for id in reused)
    assert not last["health.database"]["reused"]


def test_of_one_check_only_the_spent_limit_is_known_with_its_reason(shop: Shop) -> None:
    """Nothing was seen of this environment before, so that nothing can stand in."""
    for _ in range(5):  # refused, and counted all the same
        httpx.post(f"{shop.operator['APPLICATION_URL']}/api/v1/auth/register", json={}, trust_env=False)

    code, checks, _ = shop.checks("--only", "byok.delete")

    assert code == 4
    assert checks["byok.save"]["verdict"] == "unknown"
    assert "rate limit" in checks["byok.save"]["found"]
    assert checks["byok.delete"]["verdict"] == "unknown"


def test_other_runs_do_not_use_up_what_is_searched(tmp_path: Path, write: Writing) -> None:
    write("1-release.verify-x")
    for number in range(evidence.RUNS_READ + 1):
        (tmp_path / f"2-sandbox.up-{number:03}").mkdir()
        (tmp_path / f"2-sandbox.up-{number:03}" / FILE_NAME).write_text("")

    assert found(tmp_path) == "seen by 1-release.verify-x"
