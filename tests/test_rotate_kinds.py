"""What is particular to the kinds of secrets that ``secrets.rotate`` knows, in the sandbox."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.fernet import Fernet, InvalidToken

from runbooks.engine.secret import Secret
from runbooks.sandbox import provider_accounts, residents
from runbooks.sandbox.files import write_private
from runbooks.sandbox.world import Sandbox
from runbooks.systems.postgres import roles
from runbooks.systems.postgres.access import Access
from runbooks.systems.redis.client import RedisServer
from tests.checks.verifying import ailing, verify
from tests.conftest import Shell
from tests.crash.sandboxes import succeeds
from tests.sampling import watching

USER = "rotated-tester"


@pytest.fixture
def someone(sandbox: Sandbox) -> Iterator[int]:
    """A user who was deleted softly and had stored a key; gone again after the test."""
    token = Fernet(sandbox.variables("local")["ENCRYPTION_KEY"]).encrypt(b"sk-their-own-key").decode()
    with sandbox.superuser("local") as connection:
        row = connection.execute(
            'INSERT INTO "user" (username, email, hashed_password, is_active) VALUES (%s, %s, %s, false) RETURNING id',
            [USER, f"{USER}@praviel.test", "x"],
        ).fetchone()
        assert row
        connection.execute(
            "INSERT INTO user_api_config (user_id, provider, encrypted_api_key) VALUES (%s, 'openai', %s)",
            [row[0], token],
        )
        connection.commit()
        yield int(row[0])
        connection.execute("DELETE FROM user_api_config WHERE user_id = %s", row)
        connection.execute('DELETE FROM "user" WHERE id = %s', row)
        connection.commit()


def tokens(sandbox: Sandbox) -> list[str]:
    with sandbox.superuser("local") as connection:
        rows = connection.execute("SELECT encrypted_api_key FROM user_api_config ORDER BY id").fetchall()
    return [str(row[0]) for row in rows]


def side_tables(sandbox: Sandbox) -> int:
    with sandbox.superuser("local") as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('public', 'pg_catalog', 'information_schema')"
        ).fetchone()
    assert row
    return int(row[0])


BY_HAND = {
    "OPENAI_API_KEY": ("openai", "sk-proj-", {"project": "proj_local"}),
    "ANTHROPIC_API_KEY": ("anthropic", "sk-ant-api03-", {"workspace": "wrkspc_local"}),
    "GOOGLE_API_KEY": ("google", "AQ.", {}),
}
"""What an operator makes at a vendor: how its keys begin, and what it knows of one."""


def keys_at(sandbox: Sandbox, vendor: str) -> dict[str, Any]:
    """The keys that the vendor accepts, and what it knows of each."""
    held: dict[str, Any] = json.loads((sandbox.layout.provider / "accounts.json").read_text())[vendor]["keys"]
    return {key: each for key, each in held.items() if not each.get("revoked")}


def new_key(sandbox: Sandbox, folder: Path, name: str, *, known: bool = True) -> tuple[str, str]:
    """A key that was made at the vendor, or was not, and a command that prints it."""
    vendor, beginning, entry = BY_HAND[name]
    key = f"{beginning}{secrets.token_urlsafe(32)}"
    path = sandbox.layout.provider / "accounts.json"
    accounts = json.loads(path.read_text())
    if known:
        accounts[vendor]["keys"][key] = entry
        write_private(path, json.dumps(accounts))
    file = folder / "new key"
    file.touch(0o600)
    file.write_text(f"{key}\n")
    return key, f"cat '{file}'"


def test_a_providers_key_is_made_there_and_the_old_one_revoked(shell: Shell, sandbox: Sandbox) -> None:
    before, others = sandbox.variables("local")["OPENAI_API_KEY"], keys_at(sandbox, "openai")
    with watching([Secret("old", before)]) as seen:
        said = succeeds(shell, "secrets.rotate", "OPENAI_API_KEY")

    after = sandbox.variables("local")["OPENAI_API_KEY"]
    assert "ROTATED OPENAI_API_KEY" in said
    assert "the old one is revoked at openai" in said
    assert after not in said
    assert seen.programs
    assert not seen.in_arguments
    assert not seen.showed(Secret("new", after))
    assert set(keys_at(sandbox, "openai")) == {*others, after} - {before}
    provider_accounts.write_accounts(sandbox.layout)  # as a start of the sandbox does
    assert set(keys_at(sandbox, "openai")) == {*others, after} - {before}
    assert ailing(verify(sandbox, "local", "health.providers", "api-keys.openai")) == {}


def test_a_key_for_mail_is_made_by_its_provider_and_mail_goes_out_with_it(shell: Shell, sandbox: Sandbox) -> None:
    before = sandbox.variables("local")["RESEND_API_KEY"]
    waits = succeeds(shell, "secrets.rotate", "RESEND_API_KEY", code=7)
    assert "can't be told from others at resend" in waits, "it was made by hand, and Resend shows names only"
    accounts = json.loads((sandbox.layout.provider / "accounts.json").read_text())
    del accounts["resend"]["keys"][before]
    write_private(sandbox.layout.provider / "accounts.json", json.dumps(accounts))

    said = succeeds(shell, "secrets.resume", "RESEND_API_KEY")

    after = sandbox.variables("local")["RESEND_API_KEY"]
    assert "the old one is revoked at resend" in said
    assert (before in keys_at(sandbox, "resend"), after in keys_at(sandbox, "resend")) == (False, True)
    assert ailing(verify(sandbox, "local", "email.provider-key-accepted")) == {}
    assert "the old one is revoked at resend" in succeeds(shell, "secrets.rotate", "RESEND_API_KEY")
    assert after not in keys_at(sandbox, "resend"), "one that was made here is known by its name"
    assert ailing(verify(sandbox, "local", "email.provider-key-accepted")) == {}


def test_a_plan_says_who_makes_the_key_and_that_there_is_no_gap(shell: Shell, sandbox: Sandbox) -> None:
    before = keys_at(sandbox, "openai")

    said = succeeds(shell, "secrets.rotate", "OPENAI_API_KEY", "--plan")

    assert "there is no gap" in said
    assert "openai makes the new key" in said
    assert keys_at(sandbox, "openai") == before


def test_a_key_made_by_hand_is_used_once_the_provider_accepts_it(
    shell: Shell, sandbox: Sandbox, tmp_path: Path
) -> None:
    before = sandbox.variables("local")["ANTHROPIC_API_KEY"]
    key, command = new_key(sandbox, tmp_path, "ANTHROPIC_API_KEY")

    said = succeeds(shell, "secrets.rotate", "ANTHROPIC_API_KEY", "--command", command)

    assert "ROTATED ANTHROPIC_API_KEY" in said
    assert key not in said
    assert sandbox.variables("local")["ANTHROPIC_API_KEY"] == key
    assert key in keys_at(sandbox, "anthropic")
    assert before not in keys_at(sandbox, "anthropic"), "its API can switch keys off"
    assert ailing(verify(sandbox, "local", "health.providers", "api-keys.anthropic")) == {}


def test_where_nothing_can_revoke_the_old_key_the_operator_is_told_to(
    shell: Shell, sandbox: Sandbox, tmp_path: Path
) -> None:
    _, command = new_key(sandbox, tmp_path, "GOOGLE_API_KEY")

    assert "revoke it at google" in succeeds(shell, "secrets.rotate", "GOOGLE_API_KEY", "--command", command)


def test_a_key_that_the_provider_refuses_is_put_nowhere(shell: Shell, sandbox: Sandbox, tmp_path: Path) -> None:
    before = sandbox.variables("local")["OPENAI_API_KEY"]
    key, command = new_key(sandbox, tmp_path, "OPENAI_API_KEY", known=False)

    said = succeeds(shell, "secrets.rotate", "OPENAI_API_KEY", "--command", command, code=6)

    assert key not in said
    assert sandbox.variables("local")["OPENAI_API_KEY"] == before
    assert key not in "".join(path.read_text() for path in sandbox.layout.environment("local").rglob("versions.json"))


def test_without_a_terminal_or_a_command_a_key_is_not_asked_for(shell: Shell) -> None:
    refused = shell.invoke("secrets.rotate", "GOOGLE_API_KEY")

    assert refused.returncode == 2
    assert "--command" in refused.stderr


def test_a_database_password_is_replaced_while_the_application_keeps_its_database(
    shell: Shell, sandbox: Sandbox
) -> None:
    before = sandbox.variables("local")["DATABASE_URL"]

    said = succeeds(shell, "secrets.rotate", "DATABASE_URL")

    after = sandbox.variables("local")["DATABASE_URL"]
    assert "ROTATED DATABASE_URL" in said
    assert before != after
    assert roles.accepts(Access(url=Secret("new", after)))
    assert not roles.accepts(Access(url=Secret("old", before)))
    assert ailing(verify(sandbox, "local", "health.database", "recovery.variables-backed-up")) == {}


@pytest.mark.slow
def test_a_redis_password_is_replaced_without_a_refused_connection_and_outlives_the_servers_restart(
    shell: Shell, sandbox: Sandbox
) -> None:
    before = RedisServer(Secret("old", sandbox.variables("local")["REDIS_URL"]))
    elsewhere = sandbox.variables("local-staging")["REDIS_URL"]

    said = succeeds(shell, "secrets.rotate", "REDIS_URL")

    url = sandbox.variables("local")["REDIS_URL"]
    after = RedisServer(Secret("new", url))
    assert "ROTATED REDIS_URL" in said
    assert str(urlsplit(url).password) not in said
    sandbox.manager.stop("valkey")
    sandbox.start_servers()
    assert (before.accepted(), after.accepted()) == (False, True)
    assert RedisServer(Secret("elsewhere", elsewhere)).accepted()
    assert ailing(verify(sandbox, "local", "redis.password", "recovery.variables-backed-up")) == {}


@pytest.mark.slow
def test_a_redis_password_that_somebody_still_uses_is_kept_and_can_be_put_back(shell: Shell, sandbox: Sandbox) -> None:
    url = sandbox.variables("local")["REDIS_URL"]
    with RedisServer(Secret("old", url)).connected() as used:
        assert used.echo("in use")
        time.sleep(1.1)  # the server tells a connection's age in whole seconds

        said = succeeds(shell, "secrets.rotate", "REDIS_URL", "--wait", "0", code=7)

        assert "1 still use it" in said
        during = RedisServer(Secret("new", sandbox.variables("local")["REDIS_URL"]))
        assert during.accepted()
        assert used.echo("in use")
    succeeds(shell, "secrets.abort", "REDIS_URL", code=6)

    assert sandbox.variables("local")["REDIS_URL"] == url
    assert RedisServer(Secret("old", url)).accepted()
    assert not during.accepted()


def test_a_new_encryption_key_opens_every_row_also_a_deleted_users(
    shell: Shell, sandbox: Sandbox, someone: int
) -> None:
    before, old = sandbox.variables("local")["ENCRYPTION_KEY"], tokens(sandbox)

    said = succeeds(shell, "secrets.rotate", "ENCRYPTION_KEY")

    after = sandbox.variables("local")["ENCRYPTION_KEY"]
    assert "ROTATED ENCRYPTION_KEY" in said
    assert [Fernet(after).decrypt(new) for new in tokens(sandbox)] == [Fernet(before).decrypt(was) for was in old]
    assert side_tables(sandbox) == 0
    assert someone
    checks = ("secrets.encryption-key-recoverable", "recovery.variables-backed-up", "secrets.encryption-key-valid")
    assert ailing(verify(sandbox, "local", *checks)) == {}


@pytest.mark.usefixtures("someone")
def test_a_row_that_no_key_opens_stops_it_before_anything_is_made(shell: Shell, sandbox: Sandbox) -> None:
    before = sandbox.variables("local")["ENCRYPTION_KEY"]
    strange = Fernet(Fernet.generate_key()).encrypt(b"x").decode()
    with sandbox.superuser("local") as connection:
        connection.execute(
            "UPDATE user_api_config SET encrypted_api_key = %s WHERE user_id ="
            ' (SELECT id FROM "user" WHERE username = %s)',
            [strange, USER],
        )

    said = succeeds(shell, "secrets.rotate", "ENCRYPTION_KEY", code=7)

    assert "can be opened neither with the old key nor with the new one" in said
    assert sandbox.variables("local")["ENCRYPTION_KEY"] == before
    succeeds(shell, "secrets.abort", "ENCRYPTION_KEY", code=6)
    with pytest.raises(InvalidToken):
        Fernet(before).decrypt(strange)


def test_without_recipients_an_encryption_key_is_not_rotated(shell: Shell, sandbox: Sandbox) -> None:
    before = sandbox.variables("local")["ENCRYPTION_KEY"]
    inventory = shell.project / "inventory" / "local" / "environment.toml"
    text = inventory.read_text()
    inventory.write_text("\n".join(line for line in text.splitlines() if not line.startswith("recipients")) + "\n")
    try:
        refused = shell.invoke("secrets.rotate", "ENCRYPTION_KEY")
    finally:
        inventory.write_text(text)

    assert refused.returncode not in (0, 1)
    assert "nobody to encrypt the variables to" in refused.stdout + refused.stderr
    assert sandbox.variables("local")["ENCRYPTION_KEY"] == before


def test_the_resident_has_a_key_of_their_own(sandbox: Sandbox) -> None:
    with sandbox.superuser("local") as connection:
        row = connection.execute(
            'SELECT count(*) FROM user_api_config c JOIN "user" u ON u.id = c.user_id WHERE username = %s',
            [residents.USERNAME],
        ).fetchone()
    assert row == (1,)
