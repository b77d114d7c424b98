"""Drills from end to end: a snapshot restored, proven and thrown away; every failure is kept as one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import bcrypt
import pyrage
import pytest
from cryptography.fernet import Fernet

from runbooks import snapshots
from runbooks.engine.errors import InputError
from runbooks.environment.variable_copies import VariableCopies
from runbooks.steps import drilling
from runbooks.systems.snapshots import drills
from runbooks.systems.snapshots.drills import FAILED, MISSED, PROVEN, Drill
from runbooks.systems.snapshots.manifest import Manifest, encode
from runbooks.systems.snapshots.shelf import place
from tests.vaults import Vault


def only_drill(vault: Vault) -> Drill:
    (drill,) = drills.drills(vault.snapshots().shelf.store)
    assert vault.siblings() == [], "nothing is left of it"
    return drill


def test_a_drill_proves_measures_and_leaves_nothing(vault: Vault, manifest: Manifest) -> None:
    said = vault.on("backup.drill", "random")

    drill = only_drill(vault)
    assert "PROVEN" in said
    assert "one changed value in" in said
    assert (drill.verdict, drill.snapshot, drill.heads) == (PROVEN, manifest.id, manifest.heads)
    assert set(drill.seconds) == set(drilling.STAGES)
    assert drill.rto == pytest.approx(sum(drill.seconds.values()), abs=0.01)
    assert drill.rpo is not None
    assert drill.rpo > 0


def test_a_snapshot_that_is_too_old_misses_the_target(vault: Vault, manifest: Manifest) -> None:
    vault.backup = "rpo_hours = 24\nrto_minutes = 60"
    vault.write()
    old = replace(manifest, taken=manifest.taken - timedelta(hours=30))
    (vault.project / "store" / place(manifest.id, "manifest.json")).write_bytes(encode(old))

    said = vault.on("backup.drill", code=3)

    assert "30.0 h old, at most 24 are allowed" in said
    assert only_drill(vault).verdict == MISSED


def test_a_damaged_snapshot_fails_its_drill_and_that_is_kept(vault: Vault, manifest: Manifest) -> None:
    (vault.project / "store" / place(manifest.id, "data/toc.dat")).unlink()

    vault.on("backup.drill", code=6)

    drill = only_drill(vault)
    assert drill.verdict == FAILED
    assert "fetch: an object is missing" in drill.found[0]
    assert drill.rto is None


@pytest.mark.case(100)
def test_a_drill_whose_proof_notices_nothing_fails(
    vault: Vault, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Case 100: the proof itself is tested in every drill."""
    monkeypatch.setattr(drilling, "unequal_rows", lambda _recorded, _found: [])

    vault.on("backup.drill", manifest.id, code=6)

    assert "does not notice a changed value" in only_drill(vault).found[0]


def log(vault: Vault) -> str:
    """The newest run's log."""
    return beside(vault, "log.md")


def beside(vault: Vault, name: str) -> str:
    """What the newest run's folder has under this name."""
    return max((vault.project / "var" / "runs" / "vault").glob(f"*/{name}")).read_text()


def test_what_drills_came_to_is_drawn_in_each_log_and_told_by_the_history(
    vault: Vault, manifest: Manifest, capsys: pytest.CaptureFixture[str]
) -> None:
    vault.on("backup.drill", manifest.id)
    (vault.project / "store" / place(manifest.id, "data/toc.dat")).unlink()
    vault.on("backup.drill", manifest.id, code=6)
    failed = log(vault)
    capsys.readouterr()

    snapshots.show_history("vault", "console")
    told = capsys.readouterr().out.splitlines()
    snapshots.show_history("vault", "json")
    first, second = json.loads(capsys.readouterr().out)
    snapshots.show_history("vault", "svg")
    picture = capsys.readouterr().out
    snapshots.show_history("vault", "markdown")

    assert beside(vault, "drills-over-time.svg") == picture
    assert "](drills-over-time.svg)" in failed
    assert failed.count("xychart-beta") == 2, "also the log of a drill that failed"
    assert capsys.readouterr().out in failed
    assert [line.split()[2] for line in told[1:3]] == ["proven", "failed"]
    assert (first["verdict"], second["verdict"]) == ("proven", "failed")
    assert any(line.startswith("the last one: fetch: an object is missing") for line in told)
    assert told[-1].startswith("2 drills of vault")


def test_a_damaged_record_is_named_after_the_others(vault: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    vault.snapshots().shelf.store.put("drills/20260101T000000.000Z-backup.drill-abcd.json", b"{", replaces=None)

    with pytest.raises(InputError, match="the record of a drill can't be read"):
        snapshots.show_history("vault", "console")

    assert "0 drills of vault" in capsys.readouterr().out


KEY, OTHER = (Fernet.generate_key().decode() for _ in range(2))
PASSWORD = "aZ7!the-password-of-a-user"


@pytest.fixture
def inhabited(vault: Vault) -> Iterator[Vault]:
    """With a user, who has stored an own key, and is declared."""
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    token = Fernet(KEY).encrypt(b"sk-a-key-of-the-user").decode()
    vault.execute(
        'CREATE TABLE public."user" (id serial PRIMARY KEY, email text, username text, hashed_password text);'
        "CREATE TABLE public.user_api_config (id serial PRIMARY KEY, encrypted_api_key text);"
        f"INSERT INTO public.\"user\" (email, hashed_password) VALUES ('known@example.org', '{hashed}');"
        f"INSERT INTO public.user_api_config (encrypted_api_key) VALUES ('{token}')"
    )
    vault.backup = 'login = "known@example.org"\nlogin_password = { secret = "DRILL_PASSWORD" }'
    vault.secrets["DRILL_PASSWORD"] = PASSWORD
    deployed_with(vault, KEY)
    yield vault
    vault.execute('DROP TABLE public."user", public.user_api_config')


def deployed_with(vault: Vault, key: str) -> None:
    """Write the inventory, and this key among the variables."""
    vault.write()
    with (vault.project / "inventory" / "vault" / "variables.env").open("a") as file:
        file.write(f"ENCRYPTION_KEY='{key}'\n")


def asked(vault: Vault) -> str:
    """What the newest drill was answered, as its log has it."""
    return next(line for line in log(vault).splitlines() if "Ask it what the application asks" in line)


def test_a_drill_asks_what_the_application_asks(inhabited: Vault) -> None:
    inhabited.create()

    inhabited.on("backup.drill")

    told = asked(inhabited)
    assert "known@example.org can log in" in told
    assert "its variables are not copied" in told
    assert "opens 1 users' keys" in told
    assert "a search finds neighbours in value.a" in told


def test_the_key_is_that_of_the_variables_as_they_were_copied(inhabited: Vault) -> None:
    identity = pyrage.x25519.Identity.generate()
    inhabited.backup += f'\nrecipients = ["{identity.to_public()}"]\nidentity = {{ secret = "AGE_IDENTITY" }}'
    inhabited.secrets |= {"AGE_IDENTITY": str(identity), "FINGERPRINT_KEY": "a-key-for-fingerprints"}
    deployed_with(inhabited, KEY)
    copy = VariableCopies(inhabited.snapshots()).back_up("20260101T000000.000Z-variables.backup-abcd")
    inhabited.create()
    deployed_with(inhabited, OTHER)

    inhabited.on("backup.drill")

    assert f"of the copied variables {copy.id} opens 1 users' keys" in asked(inhabited)


@pytest.mark.parametrize(
    ("key", "password", "said"),
    [
        (OTHER, PASSWORD, "does not open 1 of 1 users' keys"),
        (KEY, PASSWORD + "?", "known@example.org has another password"),
    ],
    ids=["another key", "another password"],
)
def test_a_restored_database_that_is_of_no_use_fails_its_drill(
    key: str, password: str, said: str, inhabited: Vault
) -> None:
    inhabited.create()
    inhabited.secrets["DRILL_PASSWORD"] = password
    deployed_with(inhabited, key)

    inhabited.on("backup.drill", code=6)

    drill = only_drill(inhabited)
    assert drill.verdict == FAILED
    assert drill.found[0].startswith("ask: the restored database does not answer")
    assert said in drill.found[0]


def test_a_user_who_is_not_in_it_fails_its_drill(inhabited: Vault) -> None:
    inhabited.backup = inhabited.backup.replace("known@", "gone@")
    deployed_with(inhabited, KEY)
    inhabited.create()

    inhabited.on("backup.drill", code=6)

    assert "gone@example.org is not in the restored database" in only_drill(inhabited).found[0]


def test_a_login_is_declared_with_its_password_or_not_at_all(vault: Vault) -> None:
    vault.backup = 'login = "known@example.org"'
    vault.write()

    with pytest.raises(InputError, match=r"'backup\.login_password' is missing"):
        vault.snapshots()
