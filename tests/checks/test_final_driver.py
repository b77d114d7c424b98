"""What the answer of the release's own engine comes to; the engine itself is asked in the walk of the faults."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runbooks.checks.final_driver import driver_answers
from runbooks.checks.journey import Journey
from runbooks.checks.subject import Subject
from runbooks.engine.check import Finding
from runbooks.engine.outcome import Verdict
from runbooks.engine.redact import Redactor
from runbooks.environment.load import load
from runbooks.environment.site import Site
from runbooks.systems.source.interpreter import Interpreter

ENVIRONMENT = """\
schema = 1
application.url = "http://127.0.0.1:9"
platform.kind = "hosts"
release.source = "release"
[variables]
source = "dotenv"
path = "variables.env"
"""
POOLED = "postgresql://app@ep-1-pooler.example/praviel"
Asking = Callable[..., Finding]


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asking:
    """The finding where the engine gives this answer."""

    def ask(url: str = "postgresql://app@db.example/praviel", **answer: Any) -> Finding:
        folder = tmp_path / "inventory" / "shop"
        folder.mkdir(parents=True)
        (tmp_path / "release").mkdir()
        (folder / "environment.toml").write_text(ENVIRONMENT)
        (folder / "variables.env").touch(mode=0o600)
        (folder / "variables.env").write_text(f"DATABASE_URL='{url}'\n")
        monkeypatch.setattr(Interpreter, "ask_database", lambda *_: answer)
        site = Site(load(tmp_path / "inventory", "shop"), Redactor(), {})
        return driver_answers.look(Subject(site, Journey(lambda: site.application, None, "run")), {})

    return ask


def test_an_answer_passes_and_a_pooled_endpoint_is_named(asked: Asking) -> None:
    finding = asked(POOLED, ok=True, driver="asyncpg", database="praviel")

    assert finding.verdict is Verdict.PASSED
    assert "pooled endpoint (host ep-1-pooler.example)" in finding.found


@pytest.mark.parametrize(
    ("error", "mend"),
    [
        ('prepared statement "__asyncpg_stmt_1__" does not exist', "not pooled"),
        ('password authentication failed for user "app"', "str(URL)"),
        ("something else", "see DATABASE_URL"),
    ],
)
def test_a_refusal_fails_with_what_helps(error: str, mend: str, asked: Asking) -> None:
    finding = asked(POOLED, ok=False, stage="query", kind="PostgresError", error=error)

    assert finding.verdict is Verdict.FAILED
    assert mend in finding.mend


def test_a_database_that_this_machine_does_not_reach_is_not_looked_at(asked: Asking) -> None:
    assert asked(ok=False, stage="query", kind="gaierror", error="no such host").verdict is Verdict.UNKNOWN


def test_an_engine_that_is_elsewhere_is_not_looked_at(asked: Asking) -> None:
    finding = asked(ok=False, stage="import", kind="ModuleNotFoundError", error="No module named 'app'")

    assert finding.verdict is Verdict.UNKNOWN
    assert "release.engine" in finding.mend
