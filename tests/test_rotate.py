"""``secrets.rotate`` in the sandbox: the new value is in use and proven, the old one nowhere accepted."""

from __future__ import annotations

import json
import re

import pytest

from runbooks.sandbox.environments import ENVIRONMENTS
from runbooks.sandbox.world import Sandbox
from tests.checks.verifying import ailing, verify
from tests.conftest import Shell
from tests.crash.sandboxes import succeeds
from tests.rotated import asked_meanwhile, runs_with

JWT = ("secrets.rotate", "JWT_SECRET_KEY", "--accept", "1000")


def login(sandbox: Sandbox) -> str:
    """A token of the resident's."""
    from runbooks.sandbox import residents

    password = residents.password(sandbox, "local").reveal()
    body = {"username_or_email": residents.USERNAME, "password": password}
    with sandbox.http("local") as application:
        answer = application.post("/api/v1/auth/login", json=body)
    assert answer.status == 200, answer.status
    return str(answer.object()["access_token"])


def status_of(sandbox: Sandbox, token: str) -> int:
    with sandbox.http("local") as application:
        return application.get("/api/v1/users/me", headers={"Authorization": f"Bearer {token}"}).status


def lies_nowhere(sandbox: Sandbox, value: str) -> bool:
    """Whether this value is in no file that the application could be started with."""
    files = [sandbox.layout.variables("local"), *(sandbox.layout.host("local") / "slots").rglob("variables")]
    return not any(value in file.read_text() for file in files)


def test_a_new_jwt_key_logs_everybody_out_and_signs_new_tokens(shell: Shell, sandbox: Sandbox) -> None:
    before, token = sandbox.variables("local")["JWT_SECRET_KEY"], login(sandbox)

    said = succeeds(shell, *JWT)

    after = sandbox.variables("local")["JWT_SECRET_KEY"]
    assert "ROTATED JWT_SECRET_KEY" in said
    assert runs_with(sandbox, "local", {"JWT_SECRET_KEY": after})
    assert lies_nowhere(sandbox, before)
    assert before != after
    assert status_of(sandbox, token) == 401
    assert status_of(sandbox, login(sandbox)) == 200
    assert before not in said
    assert after not in said
    assert ailing(verify(sandbox, "local", "secrets.jwt-key-strong", "recovery.variables-backed-up")) == {}


@pytest.mark.slow
def test_no_request_is_dropped_while_the_application_is_renewed(shell: Shell) -> None:
    with asked_meanwhile(shell.project) as answers:
        succeeds(shell, *JWT)

    assert len(answers) > 20
    assert set(answers) == {200}


def test_the_sandbox_keeps_what_was_rotated(shell: Shell, sandbox: Sandbox) -> None:
    succeeds(shell, *JWT)
    rotated = {name: sandbox.variables(name)["JWT_SECRET_KEY"] for name in ENVIRONMENTS}

    sandbox.write_variables()

    assert {name: sandbox.variables(name)["JWT_SECRET_KEY"] for name in ENVIRONMENTS} == rotated


def test_nobody_is_logged_out_unaccepted(shell: Shell, sandbox: Sandbox) -> None:
    before = sandbox.variables("local")["JWT_SECRET_KEY"]

    refused = shell.invoke("secrets.rotate", "JWT_SECRET_KEY", "--accept", "0")

    assert refused.returncode == 2
    assert re.search(r"logs out up to [1-9]\d* users", refused.stdout)
    assert sandbox.variables("local")["JWT_SECRET_KEY"] == before


def test_a_plan_says_what_it_costs_and_changes_nothing(shell: Shell, sandbox: Sandbox) -> None:
    before = sandbox.variables("local")["JWT_SECRET_KEY"]

    said = succeeds(shell, "secrets.rotate", "JWT_SECRET_KEY", "--plan")

    assert "everybody is logged out" in said
    assert sandbox.variables("local")["JWT_SECRET_KEY"] == before


def test_what_can_not_be_rotated_is_refused(shell: Shell) -> None:
    refused = shell.invoke("secrets.rotate", "JWT_SECRET_KEI")

    assert refused.returncode == 2
    assert "did you mean 'JWT_SECRET_KEY'?" in refused.stderr


def test_the_journal_holds_no_value(shell: Shell, sandbox: Sandbox) -> None:
    before = sandbox.variables("local")["JWT_SECRET_KEY"]
    succeeds(shell, *JWT)
    after = sandbox.variables("local")["JWT_SECRET_KEY"]

    folder = max((shell.project / "var" / "runs" / "local").glob("*-secrets.rotate-*"))

    written = "".join(path.read_text() for path in folder.iterdir())
    assert json.dumps("JWT_SECRET_KEY") in written
    assert [value for value in (before, after) if value in written] == []


@pytest.mark.parametrize("name", ["resume", "abort", "retire"])
def test_without_a_rotation_under_way_there_is_nothing_to_go_on_with(shell: Shell, name: str) -> None:
    refused = shell.invoke(f"secrets.{name}", "JWT_SECRET_KEY")

    assert refused.returncode == 2
    assert "no rotation of JWT_SECRET_KEY is under way" in refused.stderr
