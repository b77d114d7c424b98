"""No command that handles secrets shows one in the arguments of a process, nor in an environment that needs none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from runbooks.engine.secret import Secret
from runbooks.sandbox.world import Sandbox
from tests.conftest import Shell
from tests.crash.sandboxes import succeeds
from tests.sampling import watching
from tests.vaults import Vault

TOLD_A_PASSWORD = {"pg_dump", "pg_restore", "psql"}
"""PostgreSQL's programs read it from their environment, which is their owner's alone."""
SEEN_LONG_ENOUGH = "import time; time.sleep(0.2)"


def test_a_secret_in_arguments_or_environment_is_seen_in_any_encoding() -> None:
    word, other = "Zx81 hidden/word", "never shown word"
    secrets = [Secret("PASSWORD", word), Secret("OTHER", other)]
    with watching(secrets) as seen:
        argv = [sys.executable, "-c", SEEN_LONG_ENOUGH, "postgresql://u:Zx81%20hidden%2Fword@db/x"]
        subprocess.run(argv, check=True)
        subprocess.run([sys.executable, "-c", SEEN_LONG_ENOUGH], env={"WORD": word}, check=True)

    program = Path(sys.executable).name
    assert seen.in_arguments == {program: {"PASSWORD"}}
    assert [seen.showed(secret) for secret in secrets] == [True, False]
    assert seen.in_environment == {program: {"PASSWORD"}}


def test_a_snapshot_and_a_drill_show_no_password(vault: Vault) -> None:
    urls = {"ADMIN_DATABASE_URL": vault.admin_url, "DATABASE_URL": vault.owner_url}
    secrets = [Secret(name, str(urlsplit(url).password)) for name, url in urls.items()]

    with watching(secrets) as seen:
        for words in (("backup.create",), ("backup.drill",)):
            done = vault.shell.invoke(*words, "--env", vault.name)
            assert done.returncode == 0, done.stdout + done.stderr

    assert {"pg_dump", "pg_restore"} <= seen.programs
    assert seen.in_arguments == {}
    assert set(seen.in_environment) <= TOLD_A_PASSWORD


@pytest.mark.parametrize(
    "name",
    [
        "ENCRYPTION_KEY",
        pytest.param("DATABASE_URL", marks=pytest.mark.matrix),
        pytest.param("JWT_SECRET_KEY", marks=pytest.mark.matrix),
    ],
)
def test_no_command_line_shows_a_secret_while_it_is_rotated(name: str, shell: Shell, sandbox: Sandbox) -> None:
    before = sandbox.variables("local")
    secrets = [Secret(key, part) for key, value in before.items() if (part := hidden(key, value))]

    with watching(secrets) as seen:
        succeeds(shell, "secrets.rotate", name, "--accept", "1000")

    new = hidden(name, sandbox.variables("local")[name])
    assert new
    assert seen.programs
    assert seen.in_arguments == {}
    assert not seen.showed(Secret(name, new))


def hidden(name: str, value: str) -> str | None:
    """What nobody may see of a variable."""
    return urlsplit(value).password if name.endswith("_URL") else value if name.endswith("_KEY") else None
