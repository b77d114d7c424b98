"""What a deleted row left behind is found wherever it is; what only looks like it is not."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from runbooks.engine.secret import Secret
from runbooks.sandbox.world import Sandbox
from runbooks.systems.postgres.client import Database
from runbooks.systems.postgres.count import at_least
from runbooks.systems.postgres.traces import traces

EMAIL = "gone@checks.praviel.test"
NUMBER = 987654321


@pytest.fixture
def database(sandbox: Sandbox) -> Iterator[Database]:
    opened = Database(Secret("url", sandbox.variables("local")["DATABASE_URL"]))
    yield opened
    opened.close()


@pytest.fixture
def superuser(sandbox: Sandbox) -> Iterator[psycopg.Connection]:
    with sandbox.superuser("local") as connection:
        connection.autocommit = True
        connection.execute("CREATE SCHEMA traces AUTHORIZATION praviel_local")
        yield connection
        connection.execute("DROP SCHEMA traces CASCADE")


def left(database: Database) -> dict[str, int]:
    with database.reading() as connection:
        looked, found = traces(connection, "user", NUMBER, EMAIL)
    assert looked > 30
    return found


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("note text", f"written to {EMAIL.upper()} today"),
        ("note jsonb", f'{{"to": ["{EMAIL}"]}}'),
        ("note varchar[]", f"{{a,{EMAIL}}}"),
        ("user_id bigint", str(NUMBER)),
        ("user_id text", str(NUMBER)),
    ],
)
def test_a_trace_is_found(column: str, value: str, database: Database, superuser: psycopg.Connection) -> None:
    superuser.execute(f"CREATE TABLE traces.diary ({column})".encode())
    superuser.execute("ALTER TABLE traces.diary OWNER TO praviel_local")
    superuser.execute("INSERT INTO traces.diary VALUES (%s)", [value])

    assert left(database) == {f"diary.{column.split(maxsplit=1)[0]}": 1}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("amount int", str(NUMBER)),
        ("note text", "gone@checks.praviel.org"),
        ("note text", str(NUMBER)),
        ("note text", f"w-{EMAIL}"),
        ("note jsonb", f'{{"to": "{EMAIL}-house"}}'),
    ],
)
def test_what_is_none_is_not(column: str, value: str, database: Database, superuser: psycopg.Connection) -> None:
    superuser.execute(f"CREATE TABLE traces.diary ({column})".encode())
    superuser.execute("ALTER TABLE traces.diary OWNER TO praviel_local")
    superuser.execute("INSERT INTO traces.diary VALUES (%s)", [value])

    assert left(database) == {}


def test_rows_are_counted_no_further_than_is_wanted(database: Database) -> None:
    with database.reading() as connection:
        assert at_least(connection, {"language": 2, "text_work": 1000, "no such table": 1}) == {
            "language": 2,
            "text_work": 5,
            "no such table": 0,
        }
