"""The pooler that a fault puts in front of PostgreSQL breaks what a real PgBouncer breaks, and nothing else.

Where a PgBouncer is installed (Debian's ``pgbouncer``) it is held to the same; 1.21 and later can keep statements.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from runbooks.engine.secret import Secret
from runbooks.sandbox import environments, pooler, ports
from runbooks.sandbox.world import Sandbox
from runbooks.systems.source.interpreter import Interpreter
from tests.poolers import PGBOUNCER, listening, pgbouncer, through
from tests.sandbox.servers import open_folder


@pytest.fixture(params=["ours", "PgBouncer"])
def pooled(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[str]:
    """The URL of the sandbox's database through a pooler."""
    url = environments.database_url(sandbox.layout, "local", sandbox.numbers())
    port = ports.choose()
    if request.param == "ours":
        command = [sys.executable, "-m", "runbooks.sandbox.pooler", str(port)]
        with listening(command, port, {pooler.SERVER: url}):
            yield through(url, port)
        return
    if PGBOUNCER is None:
        pytest.skip("no PgBouncer is installed")
    with open_folder() as folder, listening(pgbouncer(folder, url, port), port):
        yield through(url, port)


def asked(sandbox: Sandbox, url: str) -> dict[str, object]:
    """What the release's own engine gets."""
    release = Interpreter(sandbox.layout.release("local").resolve(), Path(sys.executable))
    variables = sandbox.variables("local") | {"DATABASE_URL": url}
    given = {name: Secret(name, value) for name, value in variables.items()}
    return dict(release.ask_database("app.db.engine:engine", given, 30))


def test_queries_and_transactions_come_through(pooled: str) -> None:
    with psycopg.connect(pooled, prepare_threshold=None) as connection:
        connection.execute("CREATE TEMPORARY TABLE kept (number integer) ON COMMIT DROP")
        connection.execute("INSERT INTO kept SELECT generate_series(1, 5000)")
        assert connection.execute("SELECT sum(number) FROM kept").fetchone() == (12502500,)
        with pytest.raises(psycopg.errors.DivisionByZero):
            connection.execute("SELECT 1 / 0")
        connection.rollback()
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_what_a_session_sets_is_met_by_the_next_one(pooled: str) -> None:
    with psycopg.connect(pooled, autocommit=True) as one, psycopg.connect(pooled, autocommit=True) as other:
        one.execute("SET work_mem = '7777kB'")

        assert other.execute("SHOW work_mem").fetchone() == ("7777kB",)


def test_a_prepared_statement_is_not_there_once_another_was_served(sandbox: Sandbox, pooled: str) -> None:
    answer = asked(sandbox, pooled)

    assert answer["ok"] is False
    assert "prepared statement" in str(answer["error"])


def test_a_release_that_prepares_nothing_works_through_it(sandbox: Sandbox, pooled: str) -> None:
    answer = asked(sandbox, f"{pooled}?prepared_statement_cache_size=0")

    assert (answer["ok"], answer["database"]) == (True, environments.database("local"))


def test_a_startup_parameter_that_can_not_be_kept_apart_is_refused(pooled: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="unsupported startup parameter"):
        psycopg.connect(pooled, options="-c work_mem=1MB")


def test_a_wrong_password_is_refused(pooled: str) -> None:
    parts = urlsplit(pooled)

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(parts._replace(netloc=f"{parts.username}:wrong@{parts.netloc.rpartition('@')[2]}").geturl())
