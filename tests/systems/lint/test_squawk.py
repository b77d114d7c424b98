from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runbooks.engine.errors import InputError, SystemFault
from runbooks.sandbox import repository
from runbooks.systems.lint import squawk
from runbooks.systems.lint.revisions import Revision, argv, parse
from runbooks.systems.lint.squawk import Effect, lint

URL = "postgresql://nobody@127.0.0.1:9/offline"


def effect(sql: str) -> Effect:
    return lint(Revision("r1", sql), major=18).effect


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stand-in's newest release."""
    folder = tmp_path_factory.mktemp("release")
    repository.build(folder / "repository")
    repository.checkout(folder / "repository", "v3", folder / "tree")
    return folder / "tree"


def told(tree: Path, *heads: str) -> str:
    """What the release prints of its migrations, over a schema at these."""
    done = subprocess.run(
        [sys.executable, *argv(heads)[1:]],
        cwd=tree,
        env={"DATABASE_URL": URL, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "ALTER TABLE t ADD COLUMN x varchar(64);",
        "CREATE INDEX i ON t (a);",
        "CREATE TABLE u (id integer NOT NULL, PRIMARY KEY (id)); ALTER TABLE u ADD UNIQUE (id);",
        "INSERT INTO t VALUES (1);",
        "CREATE EXTENSION IF NOT EXISTS vector;",
    ],
)
def test_what_only_adds_is_additive(sql: str) -> None:
    assert effect(sql) is Effect.ADDITIVE


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE t SET a = 1;",
        "DELETE FROM t WHERE a = 1;",
        "DO $$ BEGIN UPDATE t SET a = 1; END $$;",
        "WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone;",
        "ALTER TABLE t ADD COLUMN id serial PRIMARY KEY;",
    ],
)
def test_what_changes_rows_or_may_is_rewriting(sql: str) -> None:
    assert effect(sql) is Effect.REWRITING


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE t DROP COLUMN a;",
        "ALTER TABLE t RENAME COLUMN a TO b;",
        "ALTER TABLE t RENAME TO u;",
        "ALTER TABLE t ADD COLUMN a text NOT NULL;",
        "ALTER TABLE t ALTER COLUMN a SET NOT NULL;",
        "ALTER TABLE t ALTER COLUMN a TYPE bigint;",
        "DROP TABLE t;",
        "DROP VIEW v;",
        "REVOKE ALL ON t FROM reader;",
        "UPDATE t SET a = 1; ALTER TABLE t DROP COLUMN a;",
    ],
)
def test_what_the_release_before_misses_is_contracting(sql: str) -> None:
    assert effect(sql) is Effect.CONTRACTING


def test_sql_that_can_not_be_parsed_is_no_pass() -> None:
    with pytest.raises(SystemFault, match="can't be parsed"):
        lint(Revision("r1", "ALTR TABLE t;"), major=18)


def test_a_machine_without_squawk_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(InputError, match="squawk, which lints migrations"):
        squawk.program()


def test_the_revisions_that_are_new_are_told_apart_by_what_they_do(tree: Path) -> None:
    found = [str(lint(each, major=18)) for each in parse(told(tree, "20251030_add_hnsw_vector_indexes")).new]

    assert found == [
        "20251103_profile_timezone: additive",
        "20251110_drop_profile_phone: contracting (ban-drop-column)",
    ]


def test_alembics_own_bookkeeping_is_not_taken_for_the_revisions(tree: Path) -> None:
    printed = told(tree, "20251030_add_hnsw_vector_indexes")

    assert "UPDATE alembic_version" in printed
    assert [each.sql for each in parse(printed).new] == [
        "ALTER TABLE user_profile ADD COLUMN timezone VARCHAR(64);",
        "ALTER TABLE user_profile DROP COLUMN phone;",
    ]


def test_a_revision_that_asks_the_database_as_it_goes_counts_as_the_worst(tree: Path) -> None:
    found = {each.id: each for each in parse(told(tree)).new}

    asking = found["20251030_add_hnsw_vector_indexes"]
    assert asking.problem
    assert lint(asking, major=18).effect is Effect.CONTRACTING
    assert not found["20251103_profile_timezone"].problem


def test_a_schema_that_is_where_the_release_is_has_nothing_new(tree: Path) -> None:
    found = parse(told(tree, "20251110_drop_profile_phone"))

    assert list(found.new) == []
    assert found.heads == ("20251110_drop_profile_phone",)
    assert found.migrates_at_start


def test_a_release_that_tells_nothing_is_no_pass() -> None:
    with pytest.raises(SystemFault, match="did not tell"):
        parse("Traceback …")
