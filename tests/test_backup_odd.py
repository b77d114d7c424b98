"""Databases that a copy can stumble over: restored and proven equal, or refused with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from runbooks import project
from runbooks.engine.errors import SystemFault
from runbooks.sandbox.world import Sandbox
from runbooks.steps import restoration
from runbooks.steps.restoring import Restoring
from runbooks.systems.postgres.access import Access
from runbooks.systems.postgres.extensions import lacking_extensions
from runbooks.systems.postgres.snapshot import held, seeing
from runbooks.systems.snapshots.manifest import encode
from runbooks.systems.snapshots.shelf import place
from runbooks.systems.store.objects import digest_of
from tests.conftest import Shell
from tests.test_backup import scope
from tests.vaults import Vault, vault_of

ODD = Path(__file__).with_name("odd.sql")


@dataclass(frozen=True)
class Odd:
    """The odd database's environment, its restored copy, and what was printed of the restore."""

    vault: Vault
    copy: str
    said: str


@pytest.fixture(scope="module")
def restored(sandbox_shell: Shell, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Odd]:
    folder, sandbox = tmp_path_factory.mktemp("odd"), Sandbox.of(sandbox_shell.project)
    with vault_of(sandbox, folder, ODD.read_text(encoding="utf-8"), backup="restore_memory_mb = 16") as vault:
        vault.create()
        said = " ".join(vault.on("backup.restore").split())
        (copy,) = vault.siblings()
        yield Odd(vault, copy, said)


@pytest.fixture
def odd(restored: Odd, monkeypatch: pytest.MonkeyPatch) -> Odd:
    monkeypatch.setenv(project.VARIABLE, str(restored.vault.project))
    return restored


@pytest.mark.case(28, 36, 42, 74)
def test_an_odd_database_restores_equal(odd: Odd) -> None:
    """Large rows, names of 63 bytes, oids; a collation that has another version by now does not hinder a restore."""
    assert f"PROVEN {odd.copy}" in odd.said


@pytest.mark.case(43)
def test_a_foreign_table_is_made_and_named_as_not_copied(odd: Odd) -> None:
    assert Restoring(odd.vault.snapshots(), odd.vault.snapshots().shelf.find("newest"), "x").contents.not_dumped == (
        "public.remote",
    )
    assert odd.vault.execute("SELECT count(*) AS made FROM pg_foreign_table", odd.copy) == [{"made": 1}]


@pytest.mark.case(79)
def test_a_restored_subscription_hears_nothing(odd: Odd) -> None:
    rows = odd.vault.execute(
        "SELECT subenabled FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid"
        " WHERE datname = current_database()",
        odd.copy,
    )
    assert rows == [{"subenabled": False}]


@pytest.mark.case(79)
def test_a_drill_of_a_subscriber_is_removed(odd: Odd) -> None:
    """PostgreSQL does not drop a database that subscribes to something; the publisher's slot is not touched."""
    assert "PROVEN" in odd.vault.on("backup.drill")
    assert odd.vault.siblings() == [odd.copy]


@pytest.mark.case(80)
def test_an_event_trigger_is_there_and_did_not_fire_during_the_restore(odd: Odd) -> None:
    assert odd.vault.execute("SELECT evtname::text AS name FROM pg_event_trigger", odd.copy) == [
        {"name": "hearing_ddl"}
    ]
    assert odd.vault.execute("SELECT count(*) AS heard FROM heard", odd.copy) == [{"heard": 0}]


@pytest.mark.case(82)
def test_a_vector_index_that_does_not_fit_into_memory_is_told(odd: Odd) -> None:
    assert odd.said.count("slowly: a vector index wants some 22 MiB, and backup.restore_memory_mb is 16") == 2


@pytest.mark.case(83)
def test_an_index_that_is_invalid_in_the_source_is_no_loss(odd: Odd) -> None:
    """pg_dump leaves it out: nobody could use it."""
    assert odd.vault.execute("SELECT to_regclass('twice_n') IS NULL AS gone", odd.copy) == [{"gone": True}]


def test_the_planners_statistics_are_those_of_the_source(odd: Odd) -> None:
    """Without them, the first hours after a rollback would be slow."""
    question = (
        "SELECT tablename::text, attname::text, n_distinct, most_common_freqs::text FROM pg_stats"
        " WHERE schemaname = 'public' ORDER BY 1, 2"
    )

    assert odd.vault.execute(question, odd.copy) == odd.vault.execute(question) != []


@pytest.mark.case(10)
def test_the_moment_of_another_database_is_refused(odd: Odd) -> None:
    with (
        held(odd.vault.access) as holder,
        pytest.raises(SystemFault, match="refused") as caught,
        seeing(odd.vault.access, holder.moment, odd.copy),
    ):
        pass

    assert "different database" in caught.value.found


# --- databases that can't be restored as they are, which a drill is there to find


FUNCTION = """CREATE {} FUNCTION known(text) RETURNS boolean LANGUAGE plpgsql {} AS $$
    BEGIN RETURN EXISTS (SELECT FROM word WHERE text = $1); END $$;"""
CARELESS = FUNCTION.format("OR REPLACE", "")
TRUSTED = "CREATE TABLE word AS SELECT 'a' AS text; " + FUNCTION.format("", "SET search_path = public")


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(
            "CREATE TABLE use AS SELECT 'a' AS text; ALTER TABLE use ADD CHECK (known(text));",
            id="a check",
            marks=pytest.mark.case(70),
        ),
        pytest.param("CREATE MATERIALIZED VIEW use AS SELECT known('a');", id="a view", marks=pytest.mark.case(71)),
    ],
)
def test_a_function_that_relies_on_search_path_fails_the_restore_and_is_named(
    sandbox: Sandbox, tmp_path: Path, use: str
) -> None:
    with vault_of(sandbox, tmp_path, TRUSTED + use + CARELESS) as vault:
        vault.create()

        said = " ".join(vault.on("backup.restore", code=6).split())

        assert 'relation "word" does not exist' in said
        assert "function public.known(text)" in said
        assert "SET search_path" in said
        assert vault.siblings() == []


@pytest.mark.case(59)
def test_an_empty_database_has_a_snapshot_and_no_proof(sandbox: Sandbox, tmp_path: Path) -> None:
    with vault_of(sandbox, tmp_path, "SELECT 1") as vault:
        manifest, _ = vault.create()

        assert (manifest.tables, manifest.rows) == (0, 0)
        assert "INTACT" in vault.on("backup.verify")
        assert "nothing to prove" in vault.on("backup.drill", code=6)
        assert vault.siblings() == []


@pytest.mark.case(75)
@pytest.mark.parametrize(
    "like",
    [
        "TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'",
        "TEMPLATE template0 LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'",
    ],
)
def test_a_database_of_another_encoding_or_locale_keeps_them(sandbox: Sandbox, tmp_path: Path, like: str) -> None:
    with vault_of(sandbox, tmp_path, "CREATE TABLE word AS SELECT U&'\\00fc' AS text, 'B' AS more", like) as vault:
        vault.create()

        assert "PROVEN" in vault.on("backup.restore")
        kinds = vault.execute(
            "SELECT DISTINCT encoding, datcollate, datctype, datlocprovider, datlocale FROM pg_database"
            f" WHERE starts_with(datname, '{vault.database}')"
        )
        assert len(kinds) == 1


# --- what the server lacks


@pytest.fixture
def small(sandbox: Sandbox, tmp_path: Path) -> Iterator[Vault]:
    text = "CREATE TABLE word AS SELECT n, 'word ' || n AS text FROM generate_series(1, 2000) n;"
    text += "GRANT SELECT ON word TO @reader"
    with vault_of(sandbox, tmp_path, text, backup='compression = "none"') as vault:
        yield vault


@pytest.mark.case(63)
def test_a_role_that_is_missing_is_named_before_anything_is_done(small: Vault) -> None:
    small.create()
    reader = small.database.replace("vault", "reader")

    small.execute(f"ALTER ROLE {reader} RENAME TO {reader}_other")
    try:
        said = " ".join(small.on("backup.restore", code=6).split())
    finally:
        small.execute(f"ALTER ROLE {reader}_other RENAME TO {reader}")

    assert f"the role {reader}, which owns something or is granted something" in said
    assert small.siblings() == []


@pytest.mark.case(64)
def test_an_extension_that_is_missing_or_older_is_named(small: Vault) -> None:
    wanted = {"vector": "99.0 in schema public", "nowhere": "1.0 in schema public", "hstore": "1.8 in schema public"}
    with small.access.connection() as connection:
        lacking = list(lacking_extensions(connection, wanted))

    assert lacking[0].startswith("the extension vector 99.0; the server has 0.")
    assert lacking[1:] == ["the extension nowhere 1.0; the server has none"]


@pytest.mark.case(44)
def test_a_server_without_the_hashes_is_refused(small: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Access, "server_version", lambda _self: 130004)

    said = " ".join(small.create_fails().split())

    assert "PostgreSQL 13" in said
    assert "14 or newer" in said


@pytest.mark.case(66)
def test_nothing_is_restored_into_a_database_that_is_not_empty(small: Vault) -> None:
    manifest, _ = small.create()
    work = Restoring(small.snapshots(), manifest, scope().run)
    restoration.fetch(work, scope())
    restoration.create(work, scope())
    small.execute("CREATE TABLE stranger ()", work.sibling)

    with pytest.raises(SystemFault, match="not empty"):
        restoration.fill(work, scope())


# --- damage that pg_restore does not notice, and no checksum either: it was there before the objects were hashed


def rehashed(vault: Vault, change: Any) -> None:
    """Change the biggest object of the newest snapshot, and have the manifest agree."""

    manifest = vault.snapshots().shelf.find("newest")
    biggest = max((file for file in manifest.files if file.name.endswith(".dat")), key=lambda file: file.size)
    path = vault.project / "store" / place(manifest.id, biggest.name)
    path.write_bytes(change(path.read_bytes()))
    digest = digest_of(iter([path.read_bytes()]))
    files = tuple(
        replace(file, size=digest.size, sha256=digest.sha256) if file is biggest else file for file in manifest.files
    )
    (vault.project / "store" / place(manifest.id, "manifest.json")).write_bytes(encode(replace(manifest, files=files)))


@pytest.mark.case(61)
def test_a_flipped_byte_that_pg_restore_takes_is_found(small: Vault) -> None:
    small.create()
    rehashed(small, lambda body: body.replace(b"word 1234", b"word 1235"))

    assert 'rows: "public"."word" has other values in its 2000 rows' in " ".join(
        small.on("backup.restore", code=6).split()
    )


@pytest.mark.case(62)
def test_an_archive_that_ends_early_at_a_line_is_found(small: Vault) -> None:
    small.create()
    rehashed(small, lambda body: b"\n".join(body.split(b"\n")[:1500]) + b"\n")

    said = " ".join(small.on("backup.restore", code=6).split())

    assert '"public"."word" has 1500 rows, had 2000' in said or "pg_restore failed" in said
