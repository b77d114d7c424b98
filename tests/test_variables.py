"""``variables.backup``, ``variables.restore`` and ``variables.diff``, as typed."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pyrage
import pytest

from runbooks.systems.secrets.dotenv import DotenvSource
from tests.conftest import Shell
from tests.shops import private

VALUES = {
    "DATABASE_URL": "postgresql://a:secret-pa55@127.0.0.1:9/a",
    "JWT_SECRET_KEY": 'odd" $HOME 50 % # ü',
    "PLAIN": "1",
}


def typed(shell: Shell, *words: str) -> subprocess.CompletedProcess[str]:
    return shell.invoke(words[0], "--env", "shop", *words[1:])


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A project with one environment and an age key; nothing of it runs."""
    key = pyrage.x25519.Identity.generate()
    folder = tmp_path / "inventory" / "shop"
    folder.mkdir(parents=True)
    (folder / "environment.toml").write_text(f"""\
schema = 1
protected = false
[application]
url = "http://127.0.0.1:9"
[variables]
source = "dotenv"
path = "variables.env"
[secrets]
source = "dotenv"
path = "operator.env"
[platform]
kind = "hosts"
[backup]
recipients = ["{key.to_public()}"]
identity = {{ secret = "AGE_IDENTITY" }}
""")
    private(folder / "variables.env", VALUES)
    private(folder / "operator.env", {"AGE_IDENTITY": str(key), "FINGERPRINT_KEY": "a-key-for-fingerprints"})
    return Shell(tmp_path)


def test_what_was_backed_up_is_restored_exactly_for_its_owner_only(shell: Shell) -> None:
    file = shell.project / "restored.env"

    backed_up = typed(shell, "variables.backup")
    restored = typed(shell, "variables.restore", "--to", str(file))

    assert (backed_up.returncode, restored.returncode) == (0, 0), backed_up.stderr + restored.stderr
    assert "COPIED 3 variables" in backed_up.stdout
    assert {name: secret.reveal() for name, secret in DotenvSource(file).load().items()} == VALUES
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    said = backed_up.stdout + backed_up.stderr + restored.stdout + restored.stderr
    assert [value for value in VALUES.values() if len(value) > 1 and value in said] == []


def test_a_file_that_is_there_is_not_overwritten(shell: Shell) -> None:
    file = shell.project / "restored.env"
    file.write_text("mine")
    typed(shell, "variables.backup")

    restored = typed(shell, "variables.restore", "--to", str(file))

    assert restored.returncode != 0
    assert "it is not overwritten" in restored.stdout + restored.stderr
    assert file.read_text() == "mine"


def test_a_difference_is_shown_by_name_only(shell: Shell) -> None:
    typed(shell, "variables.backup")
    same = typed(shell, "variables.diff")
    private(
        shell.project / "inventory" / "shop" / "variables.env",
        {"DATABASE_URL": VALUES["DATABASE_URL"], "JWT_SECRET_KEY": "another-value", "NEW": "another-one"},
    )

    differs = typed(shell, "variables.diff")

    assert (same.returncode, differs.returncode) == (0, 3), same.stderr + differs.stderr
    assert "no variables of shop differ" in same.stdout
    assert differs.stdout.splitlines()[:3] == ["~ JWT_SECRET_KEY", "+ NEW", "- PLAIN"]
    assert "another-" not in differs.stdout + differs.stderr


def test_without_recipients_it_is_refused_and_says_what_to_write(shell: Shell) -> None:
    inventory = shell.project / "inventory" / "shop" / "environment.toml"
    inventory.write_text("\n".join(line for line in inventory.read_text().splitlines() if "recipients" not in line))

    refused = typed(shell, "variables.backup")

    assert refused.returncode == 2
    assert 'recipients = ["age1…"]' in refused.stderr
    assert not (shell.project / "var" / "runs").exists()
