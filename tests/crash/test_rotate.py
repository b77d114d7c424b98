"""A rotation is killed anywhere, then resumed or taken back: exactly one CURRENT, and the application works with it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from runbooks import rotate, rotation
from runbooks.engine.redact import Redactor
from runbooks.environment.load import load
from runbooks.environment.secret_store import secret_versions
from runbooks.environment.site import Site
from runbooks.sandbox.consumers import SandboxConsumers
from runbooks.sandbox.world import Sandbox
from runbooks.systems.secrets.versions import Versions
from tests.conftest import Shell
from tests.crash.points import in_doubt, points
from tests.crash.sandboxes import killed_at, succeeds
from tests.test_rotate import login, status_of
from tests.test_rotate_kinds import new_key, side_tables, tokens

POINTS = points(rotate.runbook())
KILLED = (*(name for name in rotation.KINDS if name not in rotation.GIVEN), "OPENAI_API_KEY")
"""One of the providers' stands for the others: they differ in the address that is asked."""

IRREVERSIBLE = [
    point for point in POINTS if point.endswith(("outcome/forget", "/tidy", ":end")) and point != "before:outcome/tidy"
]
IRREVERSIBLE += ["before:outcome/tidy"]
"""From the moment at which the old value is forgotten."""


def cases(points: list[str], quick: str) -> list[object]:
    """Each kind at each point; the quick suite takes one of JWT_SECRET_KEY's."""
    return [
        pytest.param(
            name,
            point,
            id=f"{name} {point.replace('/', ' ')}",
            marks=() if (name, point) == ("JWT_SECRET_KEY", quick) else pytest.mark.crash,
        )
        for name in KILLED
        for point in points
    ]


def versions(shell: Shell, name: str) -> Versions:
    site = Site(load(shell.project / "inventory", "local"), Redactor(), dict(os.environ))
    try:
        return secret_versions(site).read(name)
    finally:
        site.close()


@pytest.fixture
def taken_back(shell: Shell) -> Iterator[None]:
    """Whatever a failed case has left is taken back."""
    yield
    for name in KILLED:
        found = versions(shell, name)
        if found.pending or found.previous:
            shell.invoke("secrets.abort", name)


def works_with_the_only_one(shell: Shell, sandbox: Sandbox, name: str) -> str:
    """What is CURRENT: there is no other version, the application runs with it, and does what it is needed for."""
    sandbox.forget_rate_limits()
    found = versions(shell, name)
    assert found.current
    assert (found.pending, found.previous) == (None, None)
    assert SandboxConsumers(sandbox, "local").renewed({name: found.current.value})
    assert status_of(sandbox, login(sandbox)) == 200
    with sandbox.http("local") as application:
        assert application.get("/health/db").status == 200
    key = Fernet(sandbox.variables("local")["ENCRYPTION_KEY"])
    assert all(key.decrypt(token) for token in tokens(sandbox))
    assert side_tables(sandbox) == 0
    return found.current.value.reveal()


def killed(shell: Shell, sandbox: Sandbox, name: str, point: str, folder: Path) -> None:
    words = ["--accept", "1000"]
    if name in rotation.GIVEN:
        words = ["--command", new_key(sandbox, folder)[1]]
    killed_at(shell, point, "secrets.rotate", name, *words)


@pytest.mark.usefixtures("taken_back")
@pytest.mark.parametrize(("name", "point"), cases(POINTS, "after:outcome/promote"))
def test_a_killed_rotation_is_resumed(name: str, point: str, shell: Shell, sandbox: Sandbox, tmp_path: Path) -> None:
    before = sandbox.variables("local")[name]
    killed(shell, sandbox, name, point, tmp_path)

    succeeds(shell, "secrets.resume", name)

    assert works_with_the_only_one(shell, sandbox, name) != before


@pytest.mark.usefixtures("taken_back")
@pytest.mark.parametrize(
    ("name", "point"), cases([point for point in POINTS if point not in IRREVERSIBLE], "before:outcome/promote")
)
def test_a_killed_rotation_is_taken_back(name: str, point: str, shell: Shell, sandbox: Sandbox, tmp_path: Path) -> None:
    before = sandbox.variables("local")[name]
    killed(shell, sandbox, name, point, tmp_path)

    succeeds(shell, "secrets.abort", name, code=6)

    assert works_with_the_only_one(shell, sandbox, name) == before


@pytest.mark.crash
@pytest.mark.usefixtures("taken_back")
@pytest.mark.parametrize(("name", "point"), cases(in_doubt(IRREVERSIBLE), ""))
def test_once_the_old_value_is_forgotten_there_is_no_way_back(
    name: str, point: str, shell: Shell, sandbox: Sandbox, tmp_path: Path
) -> None:
    before = sandbox.variables("local")[name]
    killed(shell, sandbox, name, point, tmp_path)

    said = succeeds(shell, "secrets.abort", name, code=2)

    assert "no way back" in said
    succeeds(shell, "secrets.resume", name)
    assert works_with_the_only_one(shell, sandbox, name) != before
