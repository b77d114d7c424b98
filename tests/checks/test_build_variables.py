"""Variables that are missing, sealed, unusable or meant for tests; nothing is asked of a server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from runbooks.checks.build_variables import variables_complete
from runbooks.checks.journey import Journey
from runbooks.checks.subject import Subject
from runbooks.engine.check import Finding
from runbooks.engine.outcome import Verdict
from runbooks.engine.redact import Redactor
from runbooks.environment.load import load
from runbooks.environment.site import Site

VARIABLES = {
    "ENVIRONMENT": "production",
    "DATABASE_URL": "postgresql://app@127.0.0.1:9/praviel",
    "JWT_SECRET_KEY": "kTr8-9sLq2_vWm4XzP7yBn3Gc6HdJf5A",
    "ENCRYPTION_KEY": "kTr8-9sLq2_vWm4XzP7yBn3Gc6HdJf5AkTr8-9sLq2_=",
    "REDIS_URL": "redis://127.0.0.1:9/0",
}
ENVIRONMENT = """\
schema = 1
application.url = "http://127.0.0.1:9"
platform.kind = "hosts"
release.source = "release"
release.sealed_variables = {sealed}
[variables]
source = "dotenv"
path = "variables.env"
"""
Asking = Callable[..., Finding]


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asking:
    """What the check says of these variables; None unsets one."""

    def ask(sealed: str = "[]", **changes: str | None) -> Finding:
        folder = tmp_path / "inventory" / "shop"
        folder.mkdir(parents=True)
        (folder / "environment.toml").write_text(ENVIRONMENT.format(sealed=sealed))
        values = {name: value for name, value in {**VARIABLES, **changes}.items() if value is not None}
        (folder / "variables.env").touch(mode=0o600)
        (folder / "variables.env").write_text("".join(f"{name}='{value}'\n" for name, value in values.items()))
        core = tmp_path / "release" / "app" / "core"
        core.mkdir(parents=True)
        (core / "config.py").write_text("class Settings:\n    DATABASE_URL: str\n    SIZE: int = 5\n")
        (tmp_path / "release" / "railway.json").write_text('{"deploy": {"startCommand": "run"}}')
        site = Site(load(tmp_path / "inventory", "shop"), Redactor(), {})
        monkeypatch.setattr(site, "settings_problem", lambda _seconds: None)  # there is no release to load
        return variables_complete.look(Subject(site, Journey(lambda: site.application, None, "run")), {})

    return ask


def test_all_that_is_required_is_set(asked: Asking) -> None:
    assert asked().verdict is Verdict.PASSED


@pytest.mark.parametrize("name", ["DATABASE_URL", "JWT_SECRET_KEY", "REDIS_URL"])
def test_one_that_is_missing_is_named(name: str, asked: Asking) -> None:
    finding = asked(**{name: None})

    assert (finding.verdict, finding.found) == (Verdict.FAILED, f"not set: {name}")


def test_an_empty_one_is_missing(asked: Asking) -> None:
    assert asked(ENCRYPTION_KEY="").found == "not set: ENCRYPTION_KEY"


def test_a_sealed_one_is_not_missing_and_not_seen(asked: Asking) -> None:
    finding = asked('["JWT_SECRET_KEY"]', JWT_SECRET_KEY=None)

    assert finding.verdict is Verdict.UNKNOWN
    assert "JWT_SECRET_KEY" in finding.found


@pytest.mark.parametrize("value", ["1", "true", "yes"])
def test_a_switch_for_tests_is_told(value: str, asked: Asking) -> None:
    assert asked(BYOK_FAKE=value).found == "BYOK_FAKE is set: it is for tests"


@pytest.mark.parametrize("value", ["0", "", "false"])
def test_one_that_is_off_is_not(value: str, asked: Asking) -> None:
    assert asked(TESTING=value).verdict is Verdict.PASSED


def test_every_wrong_one_is_told_at_once(asked: Asking) -> None:
    finding = asked(REDIS_URL="127.0.0.1:6379", DATABASE_URL=f"{VARIABLES['DATABASE_URL']}?channel_binding=require")

    assert finding.verdict is Verdict.FAILED
    assert "REDIS_URL does not begin with redis://" in finding.found
    assert "DATABASE_URL has channel_binding" in finding.found
