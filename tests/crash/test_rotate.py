"""A rotation is killed anywhere, then resumed or taken back: exactly one CURRENT, and the application works with it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from runbooks import rotate, rotation
from runbooks.engine.redact import Redactor
from runbooks.environment.load import load
from runbooks.environment.secret_store import secret_versions
from runbooks.environment.site import Site
from runbooks.sandbox.world import Sandbox
from runbooks.systems.secrets.versions import Versions
from tests.conftest import Shell
from tests.crash.points import in_doubt, points
from tests.crash.sandboxes import killed_at, succeeds
from tests.rotated import runs_with
from tests.test_rotate import login, status_of
from tests.test_rotate_kinds import BY_HAND, keys_at, new_key, side_tables, tokens

WALKED = {
    "JWT_SECRET_KEY": "look copy-before create test promote renew prove copy-after wait forget tidy",
    "DATABASE_URL": "switch renew forget",
    "REDIS_URL": "set withdraw",
    "ENCRYPTION_KEY": "set switch renew prove forget tidy",
    "OPENAI_API_KEY": "create forget",
    "ANTHROPIC_API_KEY": "withdraw",
    "GOOGLE_API_KEY": "create",
}
"""The steps at which a rotation of each kind is killed.

JWT_SECRET_KEY has no effect of its own, so it stands for the protocol: all of its steps. The others are killed where
they differ from it: OpenAI makes keys and revokes them, Anthropic switches them off, and Google's are made by hand, so
that the operator is asked again. What isn't here a rotation of that kind finds done, and records no intent for.
"""
UNWALKED = {
    **dict.fromkeys(
        (*rotation.MAIL, rotation.SES), "what makes, tries and revokes it is what does so with OpenAI's and Google's"
    ),
    rotation.SSH_KEY: "it has hosts of its own: test_rotate_ssh",
}
"""Other kinds, and why not."""
MAKER = "call:runbooks.systems.providers.openai_keys:OpenAIKeys"
ENDS = {
    "JWT_SECRET_KEY": ("after:lease", "before:switched", "after:switched", "before:end"),
    "OPENAI_API_KEY": (f"after-{MAKER}.make", f"before-{MAKER}.remove", f"after-{MAKER}.remove"),
}
"""More points: a host was switched, or a vendor has made or revoked a key, and nothing tells of it yet."""
STANDS_FOR_ALL = ("JWT_SECRET_KEY", "before:outcome/promote")
"""The case that the quick suite takes."""
FORGOTTEN = (
    "before:outcome/forget",
    "after:intent/tidy",
    "before:outcome/tidy",
    "before:end",
    *ENDS["OPENAI_API_KEY"][1:],
)
"""From here the old value is nowhere any more."""

Case = tuple[str, str]
IN_DOUBT = in_doubt(points(rotate.runbook()))
RESUMED: list[Case] = [
    (name, point)
    for name, steps in WALKED.items()
    for point in (*IN_DOUBT, *ENDS.get(name, ()))
    if point in ENDS.get(name, ()) or point.partition("/")[2] in steps.split()
]
TAKEN_BACK = [(name, point) for name, point in RESUMED if point not in FORGOTTEN]
TOO_LATE = [(name, point) for name, point in RESUMED if point in FORGOTTEN and name != "DATABASE_URL"]
BACK_AGAIN: list[Case] = [
    ("JWT_SECRET_KEY", "before:undo-outcome/create"),
    ("JWT_SECRET_KEY", "before:undo-outcome/promote"),
    ("JWT_SECRET_KEY", "after:switched"),
    ("REDIS_URL", "before:undo-outcome/set"),
    ("DATABASE_URL", "before:undo-outcome/switch"),
    ("DATABASE_URL", "before:undo-outcome/promote"),
    ("ENCRYPTION_KEY", "before:undo-outcome/switch"),
    ("ENCRYPTION_KEY", "before:undo-outcome/promote"),
    ("ENCRYPTION_KEY", "before:undo-outcome/set"),
]
"""Where the way back is killed: something is undone, and not recorded."""


def cases(chosen: list[Case]) -> list[Any]:
    """Parameters for ``parametrize``, marked ``crash`` but for the one that the quick suite takes."""
    return [
        pytest.param(
            *case,
            id=" ".join(case).replace("/", " ").replace(MAKER, "call OpenAIKeys"),
            marks=() if case == STANDS_FOR_ALL else pytest.mark.crash,
        )
        for case in chosen
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
    for name in WALKED:
        found = versions(shell, name)
        if found.pending or found.previous:
            shell.invoke("secrets.abort", name)


def works_with_the_only_one(shell: Shell, sandbox: Sandbox, name: str) -> str:
    """What is CURRENT: there is no other version, the application runs with it, and does what it is needed for."""
    sandbox.forget_rate_limits()
    found = versions(shell, name)
    assert found.current
    assert (found.pending, found.previous) == (None, None)
    assert runs_with(sandbox, "local", {name: found.current.value.reveal()})
    assert status_of(sandbox, login(sandbox)) == 200
    with sandbox.http("local") as application:
        assert application.get("/health/db").status == 200
    key = Fernet(sandbox.variables("local")["ENCRYPTION_KEY"])
    assert all(key.decrypt(token) for token in tokens(sandbox))
    assert side_tables(sandbox) == 0
    if name == "OPENAI_API_KEY":
        ours = {key for key, each in keys_at(sandbox, "openai").items() if each["project"] == "proj_local"}
        assert ours == {found.current.value.reveal()}, "no key is left behind"
    return found.current.value.reveal()


def killed(shell: Shell, sandbox: Sandbox, name: str, point: str, folder: Path) -> None:
    words = ["--accept", "1000"]
    if name in BY_HAND and name != "OPENAI_API_KEY":
        words = ["--command", new_key(sandbox, folder, name)[1]]
    killed_at(shell, point, "secrets.rotate", name, *words)


def test_every_kind_is_walked_or_says_why_not() -> None:
    assert {*WALKED, *UNWALKED} == set(rotation.KINDS)
    assert {*WALKED} & {*UNWALKED} == set()


@pytest.mark.usefixtures("taken_back")
@pytest.mark.parametrize(("name", "point"), cases(RESUMED))
def test_a_killed_rotation_is_resumed(name: str, point: str, shell: Shell, sandbox: Sandbox, tmp_path: Path) -> None:
    before = sandbox.variables("local")[name]
    killed(shell, sandbox, name, point, tmp_path)

    succeeds(shell, "secrets.resume", name)

    assert works_with_the_only_one(shell, sandbox, name) != before


@pytest.mark.usefixtures("taken_back")
@pytest.mark.parametrize(("name", "point"), cases(TAKEN_BACK))
def test_a_killed_rotation_is_taken_back(name: str, point: str, shell: Shell, sandbox: Sandbox, tmp_path: Path) -> None:
    before = sandbox.variables("local")[name]
    killed(shell, sandbox, name, point, tmp_path)

    succeeds(shell, "secrets.abort", name, code=6)

    assert works_with_the_only_one(shell, sandbox, name) == before


@pytest.mark.usefixtures("taken_back")
@pytest.mark.parametrize(("name", "point"), cases(BACK_AGAIN))
def test_a_way_back_that_is_killed_is_gone_again(
    name: str, point: str, shell: Shell, sandbox: Sandbox, tmp_path: Path
) -> None:
    before = sandbox.variables("local")[name]
    killed(shell, sandbox, name, "before:outcome/renew", tmp_path)
    killed_at(shell, point, "secrets.abort", name)

    succeeds(shell, "secrets.abort", name, code=6)

    assert works_with_the_only_one(shell, sandbox, name) == before


@pytest.mark.usefixtures("taken_back")
@pytest.mark.parametrize(("name", "point"), cases(TOO_LATE))
def test_once_the_old_value_is_forgotten_there_is_no_way_back(
    name: str, point: str, shell: Shell, sandbox: Sandbox, tmp_path: Path
) -> None:
    before = sandbox.variables("local")[name]
    killed(shell, sandbox, name, point, tmp_path)

    said = succeeds(shell, "secrets.abort", name, code=2)

    assert "no way back" in said
    succeeds(shell, "secrets.resume", name)
    assert works_with_the_only_one(shell, sandbox, name) != before


@pytest.mark.usefixtures("taken_back")
@pytest.mark.parametrize(("name", "point"), cases(TOO_LATE))
def test_a_run_that_is_aborted_too_late_keeps_the_new_value(
    name: str, point: str, shell: Shell, sandbox: Sandbox, tmp_path: Path
) -> None:
    before = sandbox.variables("local")[name]
    killed(shell, sandbox, name, point, tmp_path)

    said = succeeds(shell, "runs.abort", "latest", code=6)

    assert "the new one stays CURRENT and in use" in said
    assert works_with_the_only_one(shell, sandbox, name) != before
