"""What a database may do instead of answering; reading never writes."""

from __future__ import annotations

import time

import pytest

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.sandbox.world import Sandbox
from runbooks.systems.postgres.access import Access
from runbooks.systems.postgres.client import Database, libpq_url
from tests import servers


def database(url: str, **options: float) -> Database:
    return Database(Secret("DATABASE_URL", url), **options)  # type: ignore[arg-type]


@pytest.fixture
def url(sandbox: Sandbox) -> str:
    return sandbox.variables("local")["DATABASE_URL"]


def fault_of(url: str, **options: float) -> SystemFault:
    with pytest.raises(SystemFault) as caught:
        database(url, **options).value("SELECT 1")
    return caught.value


def test_a_question_gets_its_rows(url: str) -> None:
    with_rows = database(url)

    assert with_rows.rows("SELECT %s::int AS number", [7]) == [{"number": 7}]
    assert with_rows.value("SELECT 7") == 7
    assert with_rows.value("SELECT 7 WHERE false") is None
    with_rows.close()


def test_reading_can_not_write(url: str) -> None:
    asked = database(url)

    with pytest.raises(SystemFault, match="refused a statement") as caught:
        asked.rows("CREATE TABLE unwanted (id int)")

    assert "read-only" in caught.value.found
    assert asked.value("SELECT to_regclass('unwanted')") is None
    asked.close()


def test_writing_is_rolled_back_on_an_error(url: str) -> None:
    asked = database(url)

    with pytest.raises(ZeroDivisionError), asked.writing() as connection:
        connection.execute("CREATE TABLE unwanted (id int)")
        raise ZeroDivisionError

    assert asked.value("SELECT to_regclass('unwanted')") is None
    asked.close()


def test_a_connection_that_was_cut_is_not_used_again(url: str, sandbox: Sandbox) -> None:
    asked = database(url)
    pid = asked.value("SELECT pg_backend_pid()")
    with sandbox.superuser("local") as superuser:
        superuser.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    with pytest.raises(SystemFault):
        asked.value("SELECT 1")

    assert asked.value("SELECT 1") == 1
    asked.close()


def test_a_wrong_password_is_refused_and_not_shown(url: str) -> None:
    head, _, tail = url.rpartition("@")
    fault = fault_of(f"{head.rpartition(':')[0]}:another-password@{tail}")

    assert (fault.what, fault.reason) == ("the database refuses", Reason.UNAUTHORISED)
    assert "another-password" not in str(fault)


def test_a_database_that_does_not_exist_is_told_as_refused(url: str) -> None:
    fault = fault_of(f"{url}_not_there")

    assert fault.reason is Reason.UNAUTHORISED
    assert "does not exist" in fault.found


def test_a_database_that_was_closed_is_told_with_what_opens_it(url: str) -> None:
    fault = fault_of(f"{url.rpartition('/')[0]}/template0")

    assert (fault.what, fault.reason) == ("the database lets nobody in", Reason.UNREACHABLE)
    assert "ALLOW_CONNECTIONS true" in fault.mend


def test_a_table_without_grant_is_told_as_refused(url: str) -> None:
    with pytest.raises(SystemFault) as caught:
        database(url).rows("SELECT * FROM pg_authid")

    assert caught.value.reason is Reason.UNAUTHORISED


def test_a_closed_port_is_unreachable_and_names_the_ways_to_reach_it() -> None:
    fault = fault_of(f"postgresql://u:secret-word@{servers.LOOPBACK}:{servers.closed_port()}/shop")

    assert fault.reason is Reason.UNREACHABLE
    assert "runner" in fault.mend
    assert "secret-word" not in str(fault)


def test_a_silent_server_is_given_up() -> None:
    began = time.monotonic()
    with servers.silent() as port:
        fault = fault_of(f"postgresql://u:secret-word@{servers.LOOPBACK}:{port}/shop", connect_seconds=2)

    assert fault.reason is Reason.TIMED_OUT
    assert time.monotonic() - began < 5


def test_a_statement_that_hangs_is_ended_by_the_server(url: str) -> None:
    asked = database(url, statement_seconds=0.2)

    with pytest.raises(SystemFault) as caught:
        asked.rows("SELECT pg_sleep(30)")

    assert caught.value.reason is Reason.TIMED_OUT


@pytest.mark.parametrize("url", ["postgresql://host/db?sslmode=require&no_such_option=1", "not a url"])
def test_what_libpq_does_not_take_is_the_operators_to_mend(url: str) -> None:
    with pytest.raises(InputError, match="not a database URL") as caught:
        database(url).rows("SELECT 1")

    assert caught.value.where == "DATABASE_URL"


def test_the_driver_of_the_application_is_dropped() -> None:
    assert libpq_url("postgresql+asyncpg://u:p@h/d") == "postgresql://u:p@h/d"
    assert libpq_url("postgresql://u:p@h/d") == "postgresql://u:p@h/d"


def test_keywords_and_values_are_left_as_they_are() -> None:
    assert libpq_url("host=h password='a+b'") == "host=h password='a+b'"


def test_the_same_right_to_another_database_keeps_all_else_of_the_url() -> None:
    url = "postgresql+asyncpg://u:p%2Bw%20d@h:1/d?sslmode=require"
    access = Access(url=Secret("DATABASE_URL", url), connect_seconds=3, reach="proxy")

    other = access.to("odd name")

    assert other.parameters() == access.parameters() | {"dbname": "odd name"}
    assert other.parameters()["password"] == "p+w d"
    assert (other.connect_seconds, other.reach, other.url.name) == (3, "proxy", "DATABASE_URL")
