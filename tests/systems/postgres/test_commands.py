from __future__ import annotations

from pathlib import Path

import pytest

from runbooks.systems.postgres import commands

CONTENTS = """\
;
; Archive created at 2026-11-23 08:48:43 UTC
;     dbname: shop
6; 2615 16400 SCHEMA - ext postgres
7; 2615 16401 SCHEMA - shop owner
2; 3079 16388 EXTENSION - vector
3733; 0 0 COMMENT - EXTENSION vector
3734; 0 0 COMMENT public TABLE twin owner
220; 1259 16422 TABLE public twin owner
3400; 0 16422 TABLE DATA public twin owner
3401; 0 0 SEQUENCE SET public twin_id_seq owner
3402; 0 0 SEQUENCE OWNED BY public other_seq owner
"""


def test_a_dump_shows_the_snapshot_and_does_not_wait_for_a_migration_for_long() -> None:
    argv = commands.dump_to_folder(
        "/bin/pg_dump", Path("/w/data"), snapshot="3-1", jobs=4, options=["--compress=zstd:1"]
    )

    assert argv == [
        "/bin/pg_dump",
        "--format=directory",
        "--file=/w/data",
        "--jobs=4",
        "--snapshot=3-1",
        "--lock-wait-timeout=30s",
        "--no-password",
        "--compress=zstd:1",
    ]


def test_a_streamed_dump_goes_to_standard_output() -> None:
    argv = commands.dump_to_stream("pg_dump", snapshot="3-1", options=[])

    assert "--format=custom" in argv
    assert not any(word.startswith("--file") for word in argv)


@pytest.mark.parametrize(
    ("major", "declared", "wanted"),
    [(18, None, "--compress=zstd:1"), (15, None, "--compress=1"), (18, "lz4", "--compress=lz4")],
)
def test_the_default_compression_is_never_pg_dumps_own(major: int, declared: str | None, wanted: str) -> None:
    assert commands.compression(major, declared) == [wanted]


def test_statistics_come_along_where_pg_dump_can() -> None:
    assert commands.statistics(18) == ["--statistics"]
    assert commands.statistics(17) == []
    assert not commands.has_statistics(CONTENTS)
    assert commands.has_statistics(CONTENTS + "3403; 0 0 STATISTICS DATA public twin owner\n")


def test_a_restore_ends_at_its_first_error_and_never_cleans() -> None:
    argv = commands.restore("pg_restore", Path("/w/data"), database="s", entries=Path("/w/e"), jobs=2, role=None)

    assert argv == [
        "pg_restore",
        "--exit-on-error",
        "--jobs=2",
        "--dbname=s",
        "--no-password",
        "--use-list=/w/e",
        "/w/data",
    ]


def test_who_may_not_give_to_all_restores_as_the_owner() -> None:
    argv = commands.restore("pg_restore", Path("/w"), database="s", entries=Path("/e"), jobs=2, role="shop")

    assert argv[5:7] == ["--no-owner", "--role=shop"]


def test_extensions_their_comments_and_schemas_are_made_before() -> None:
    kept = commands.entries_to_restore(CONTENTS, ["ext"])

    assert "EXTENSION" not in kept
    assert "SCHEMA - ext" not in kept
    assert "SCHEMA - shop" in kept
    assert "COMMENT public TABLE twin" in kept


def test_only_the_entries_that_set_sequences_are_taken() -> None:
    assert commands.sequence_entries(CONTENTS) == "3401; 0 0 SEQUENCE SET public twin_id_seq owner\n"


def test_entries_are_counted() -> None:
    assert commands.count_entries(CONTENTS) == 9
    assert commands.count_tables(CONTENTS) == 1


def test_a_sequence_is_read_with_its_name_as_sql_quotes_it() -> None:
    said = """\
SELECT pg_catalog.set_config('search_path', '', false);
SELECT pg_catalog.setval('public."o''dd Name"', 105, true);
SELECT pg_catalog.setval('public.down', -3, false);
"""

    assert commands.parse_sequences(said) == {'public."o\'dd Name"': (105, True), "public.down": (-3, False)}
