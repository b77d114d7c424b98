"""Databases that live for one question, on the sandbox's server."""

from __future__ import annotations

import psycopg
import pytest

from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.sandbox import environments
from runbooks.sandbox.world import Sandbox
from runbooks.systems.postgres.scratch import PREFIX, scratch_database
from runbooks.systems.secrets.dotenv import DotenvSource


@pytest.fixture
def template(sandbox: Sandbox) -> Secret:
    return DotenvSource(sandbox.layout.operator_variables("local")).load()["SCRATCH_DATABASE_URL"]


def scratches(sandbox: Sandbox) -> list[str]:
    with sandbox.superuser() as connection:
        rows = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX])
        return [name for (name,) in rows.fetchall()]


def test_it_has_the_extensions_and_is_gone_afterwards(template: Secret, sandbox: Sandbox) -> None:
    with scratch_database(template) as url, psycopg.connect(url.reveal()) as connection:
        rows = connection.execute("SELECT extname FROM pg_extension").fetchall()
        assert {"vector", "pg_trgm"} <= {name for (name,) in rows}
        assert connection.info.dbname in scratches(sandbox)

    assert scratches(sandbox) == []


def test_it_is_gone_after_a_failure_too(template: Secret, sandbox: Sandbox) -> None:
    with pytest.raises(RuntimeError), scratch_database(template):
        raise RuntimeError

    assert scratches(sandbox) == []


def test_what_a_killed_run_left_is_dropped_and_what_another_uses_is_not(template: Secret, sandbox: Sandbox) -> None:
    with sandbox.superuser() as connection:
        connection.execute(f"CREATE DATABASE {PREFIX}left OWNER {environments.SCRATCH}")
    name = f"{PREFIX}used"
    with psycopg.connect(template.reveal(), dbname="postgres", application_name=name, autocommit=True) as other:
        other.execute(f"CREATE DATABASE {name}")
        with scratch_database(template):
            pass

        assert scratches(sandbox) == [name]

        other.execute(f"DROP DATABASE {name}")


def test_a_role_that_may_not_is_told(sandbox: Sandbox) -> None:
    url = Secret("database.scratch_url", sandbox.variables("local")["DATABASE_URL"])

    with pytest.raises(SystemFault, match="no scratch database") as caught, scratch_database(url):
        pass

    assert caught.value.reason is Reason.UNAUTHORISED
    assert "database.scratch_url" in caught.value.mend
