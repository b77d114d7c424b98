"""A snapshot from before a rotation of ENCRYPTION_KEY: the application opens every row of what is restored from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from runbooks import project
from runbooks.sandbox.world import Sandbox
from tests.keyrings import filled
from tests.plain_vaults import plain_vault
from tests.rekeyed import KEY, ROWS, Rotated


@pytest.fixture
def rotated(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rotated]:
    """A snapshot was taken, and the key has been rotated since; nobody has copied the variables."""
    monkeypatch.setenv(project.VARIABLE, str(tmp_path))
    with plain_vault(sandbox, tmp_path) as vault:
        made = Rotated.of(vault)
        vault.create()
        yield made


def others(rotated: Rotated, database: str | None = None) -> object:
    """All of the table but the encrypted column."""
    columns = "id, user_id, provider, meta, created_at, updated_at"
    return rotated.vault.execute(f"SELECT {columns} FROM user_api_config ORDER BY id", database)


def test_rows_under_a_retired_key_are_under_the_one_of_now_before_they_are_live(rotated: Rotated) -> None:
    rotated.copied()
    before = others(rotated)
    retired = rotated.rotate()

    said = " ".join(rotated.vault.switch().split())

    assert f"{ROWS} of {ROWS} users' keys" in said
    assert rotated.values() == filled(ROWS)
    assert set(rotated.ring().values(retired).values()) == {"!"}, "the retired key opens nothing any more"
    assert others(rotated) == before
    assert rotated.vault.execute("SELECT FROM pg_namespace WHERE nspname = 'runbooks'") == []
    (aside,) = rotated.vault.siblings()
    with rotated.vault.opened(aside):
        assert rotated.values(aside) == filled(ROWS)
    assert [key for key in (retired, rotated.key) if key in said] == []


def test_a_snapshot_under_several_older_keys_is_opened_with_all_of_them(rotated: Rotated) -> None:
    rotated.copied()
    first, second = rotated.key, Fernet.generate_key().decode()
    rotated.now(second)
    rotated.copied()
    rotated.ring().save(3, "by-a-second-replica", second)
    rotated.vault.create()
    rotated.now(Fernet.generate_key().decode())
    rotated.ring().save(4, "by-the-one-of-now", rotated.key)
    rotated.vault.create()

    said = " ".join(rotated.vault.switch().split())

    assert f"{ROWS + 1} of {ROWS + 2} users' keys" in said
    expected = filled(ROWS) | {(3, "google"): "by-a-second-replica", (4, "google"): "by-the-one-of-now"}
    assert rotated.values() == expected
    assert first not in said


def test_where_no_key_is_rotated_nothing_is_written(rotated: Rotated) -> None:
    tokens = rotated.vault.execute("SELECT id, encrypted_api_key FROM user_api_config ORDER BY id")

    rotated.vault.switch()

    assert rotated.vault.execute("SELECT id, encrypted_api_key FROM user_api_config ORDER BY id") == tokens


def test_a_key_that_is_nowhere_stops_it_ahead_of_the_switch_until_it_is_given(rotated: Rotated) -> None:
    retired = rotated.rotate()
    rotated.copied()

    said = " ".join(rotated.vault.switch(code=7).split())

    assert f"no {KEY} that is kept opens {ROWS} of {ROWS} users' keys" in said
    assert "id 1, 2, 3" in said
    assert "looked into: the secret's versions" in said
    assert f"{KEY}_OLD" in said
    assert rotated.values() == filled(ROWS), "the live database is the one that it was"
    (sibling,) = rotated.vault.siblings()
    assert "__restore_" in sibling

    rotated.vault.secrets[f"{KEY}_OLD"] = retired
    rotated.vault.write()
    resumed = rotated.resume()

    assert "SWITCHED" in resumed
    assert rotated.values() == filled(ROWS)
    assert retired not in said + resumed


def test_a_key_that_is_nowhere_can_be_given_up_and_nothing_has_happened(rotated: Rotated) -> None:
    rotated.rotate()
    rotated.vault.switch(code=7)

    rotated.resume(code=6, abort=True)

    assert rotated.vault.siblings() == []
    assert rotated.values() == filled(ROWS)


def test_a_copy_that_can_not_be_read_is_named(rotated: Rotated) -> None:
    rotated.copied()
    rotated.rotate()
    (object_,) = rotated.vault.project.rglob("variables.json.age")
    object_.write_bytes(b"damaged")

    said = " ".join(rotated.vault.switch(code=7).split())

    assert "a copy of variables is damaged" in said


def test_a_restore_that_switches_nothing_says_it_and_writes_nothing(rotated: Rotated) -> None:
    rotated.copied()
    retired = rotated.rotate()

    said = " ".join(rotated.vault.on("backup.restore").split())

    assert f"{ROWS} of {ROWS} users' keys in it are not under the {KEY} of now; older ones open them: copy" in said
    (sibling,) = rotated.vault.siblings()
    assert rotated.ring(sibling).values(retired) == filled(ROWS)


def test_an_unusable_key_of_now_is_said_ahead_of_any_work(rotated: Rotated) -> None:
    rotated.now(f"{rotated.key},{Fernet.generate_key().decode()}")

    said = " ".join(rotated.vault.switch(code=6).split())

    assert f"{KEY} is not exactly one Fernet key" in said
    assert rotated.vault.siblings() == []
