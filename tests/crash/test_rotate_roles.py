"""Two database roles take turns in a sandbox whose inventory declares them, also where a rotation is killed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from runbooks.engine.redact import Redactor
from runbooks.environment.load import load
from runbooks.environment.secret_store import secret_versions
from runbooks.environment.site import Site
from runbooks.sandbox.layout import Layout, prepare
from runbooks.sandbox.world import Sandbox
from tests.conftest import Shell, new_project
from tests.crash.sandboxes import kill_all, killed_at, succeeds
from tests.rotated import asked_meanwhile, runs_with
from tests.sandbox.servers import link_installed, open_folder

pytestmark = [pytest.mark.crash, pytest.mark.timeout(600)]
OWNER, LOGINS = "praviel_local", ("praviel_odd", "praviel_even")
ROLES = f"""
[database.roles]
owner = "{OWNER}"
logins = ["{LOGINS[0]}", "{LOGINS[1]}"]
"""
OURS = 'url = { secret = "DATABASE_URL" }'
POINTS = [
    "after:intent/set",
    "before:outcome/set",
    "before:outcome/promote",
    "before:outcome/renew",
    "after:intent/withdraw",
    "before:outcome/withdraw",
]


@pytest.fixture(scope="module")
def shell(installed: Layout) -> Iterator[Shell]:
    with open_folder() as folder:
        made = new_project(folder, rehearsed=False)
        file = folder / "inventory" / "local" / "environment.toml"
        assert OURS in file.read_text()
        file.write_text(file.read_text().replace(OURS, 'url = { variable = "DATABASE_URL" }', 1) + ROLES)
        link_installed(installed, prepare(folder))
        try:
            succeeds(made, "sandbox.up")
            yield made
        finally:
            kill_all(made)


@pytest.fixture
def sandbox(shell: Shell) -> Sandbox:
    return Sandbox.of(shell.project)


def may_log_in(sandbox: Sandbox) -> set[str]:
    with sandbox.superuser("local") as connection:
        rows = connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolname = ANY (%s)", [[OWNER, *LOGINS]]
        ).fetchall()
    return {str(row[0]) for row in rows}


def works_as_one_role(shell: Shell, sandbox: Sandbox) -> str:
    """The role: no other one may log in, the application runs with it, and what it makes belongs to the owner."""
    url = sandbox.variables("local")["DATABASE_URL"]
    role = str(urlsplit(url).username)
    site = Site(load(shell.project / "inventory", "local"), Redactor(), dict(os.environ))
    try:
        found = secret_versions(site).read("DATABASE_URL")
    finally:
        site.close()
    assert (found.pending, found.previous) == (None, None)
    assert may_log_in(sandbox) == {role}
    assert runs_with(sandbox, "local", {"DATABASE_URL": url})
    with sandbox.http("local") as application:
        assert application.get("/health/db").object()["status"] == "ok"
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("CREATE TABLE made_by_a_migration (id int)")
        owner: Any = session.execute(
            "SELECT tableowner FROM pg_tables WHERE tablename = 'made_by_a_migration'"
        ).fetchone()
        session.execute("DROP TABLE made_by_a_migration")
    assert owner == (OWNER,)
    return role


def test_they_take_turns_and_nobody_is_refused(shell: Shell, sandbox: Sandbox) -> None:
    seen = [works_as_one_role(shell, sandbox)]
    with asked_meanwhile(shell.project) as answers:
        for _ in range(3):
            said = succeeds(shell, "secrets.rotate", "DATABASE_URL")
            assert "ROTATED DATABASE_URL" in said
            seen.append(works_as_one_role(shell, sandbox))

    assert {*seen[1:]} == {*LOGINS}
    assert seen[1] == seen[3] != seen[0]
    assert set(answers) == {200}
    sandbox.write_variables()
    assert works_as_one_role(shell, sandbox) == seen[-1], "the sandbox keeps what was rotated"


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_turn_is_resumed(point: str, shell: Shell, sandbox: Sandbox) -> None:
    before = works_as_one_role(shell, sandbox)
    killed_at(shell, point, "secrets.rotate", "DATABASE_URL")

    succeeds(shell, "secrets.resume", "DATABASE_URL")

    assert works_as_one_role(shell, sandbox) != before


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_turn_is_taken_back(point: str, shell: Shell, sandbox: Sandbox) -> None:
    before = works_as_one_role(shell, sandbox)
    killed_at(shell, point, "secrets.rotate", "DATABASE_URL")

    succeeds(shell, "secrets.abort", "DATABASE_URL", code=6)

    assert works_as_one_role(shell, sandbox) == before


def test_whoever_is_still_connected_holds_the_turn_up_and_is_not_ended(shell: Shell, sandbox: Sandbox) -> None:
    before = works_as_one_role(shell, sandbox)
    with psycopg.connect(sandbox.variables("local")["DATABASE_URL"], autocommit=True) as session:
        said = succeeds(shell, "secrets.rotate", "DATABASE_URL", "--wait", "1", code=7)
        assert "1 still use it" in said
        assert session.execute("SELECT 1").fetchone() == (1,)
        assert len(may_log_in(sandbox)) == 2

    succeeds(shell, "secrets.retire", "DATABASE_URL")

    assert works_as_one_role(shell, sandbox) != before
