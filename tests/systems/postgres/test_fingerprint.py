"""A fingerprint changes with every value, and with nothing else. The numbers are those of the list of edge cases."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from psycopg import sql

from runbooks.engine.errors import SystemFault
from runbooks.sandbox.world import Sandbox
from runbooks.systems.postgres.access import Access
from runbooks.systems.postgres.fingerprint import Column, Table, fingerprint, fingerprints, hashed, tables
from runbooks.systems.postgres.records import Fingerprint
from runbooks.systems.postgres.snapshot import held, seeing
from tests.conftest import Shell
from tests.vaults import Vault, rich_database

CHANGES = {
    "float8": [("0", "'-0'"), ("'NaN'", "'Infinity'"), ("0.1::float8 + 0.2", "0.3")],  # 32
    "float4": [("0", "'-0'")],
    "numeric": [("1.0", "1.00"), ("'NaN'", "0"), ("1e-20", "0")],  # 33
    "interval": [("'1 mon'", "'30 days'"), ("'24:00'", "'1 day'"), ("'1 day'", "'-1 day'")],
    "timetz": [("'12:00+02'", "'10:00+00'")],
    "time": [("'24:00'", "'00:00'")],
    "timestamptz": [("'infinity'", "'-infinity'"), ("'2026-01-01+00'", "'2026-01-01+01'")],
    "date": [("'0044-03-15 BC'", "'0044-03-15'")],
    "text": [("''", "NULL"), ("U&'\\00e9'", "U&'e\\0301'"), ("'a '", "'a'"), ("'A'", "'a'")],  # 22
    "char(3)": [("'ab'", "'ac'")],
    "bytea": [("'\\x00'", "'\\x0000'")],
    "bool": [("true", "NULL")],
    "int8": [("9223372036854775807", "-9223372036854775808")],
    "uuid": [
        ("'00000000-0000-0000-0000-000000000001'", "'00000000-0000-0000-0000-000000000002'"),
    ],
    "inet": [("'10.0.0.1/8'", "'10.0.0.1/16'")],
    "varbit": [("B'0'", "B'00'")],
    "point": [("'(0,1)'", "'(1,0)'")],
    "json": [("""'{"a": 1}'""", """'{"a":1}'""")],  # 34
    "jsonb": [("'1'", "'1.0'"), ("'null'", "NULL")],
    "xml": [("'<a/>'", "'<a></a>'")],
    "int[]": [("'{1,2}'", "'[0:1]={1,2}'"), ("'{}'", "NULL"), ("'{1,NULL}'", "'{1}'")],
    "int4range": [("'[1,5)'", "'[1,4)'"), ("'empty'", "NULL")],
    "tsvector": [("'fat:1'", "'fat:2'")],
    "mood": [("'sad'", "'happy'")],  # 21
    "pair": [("(1, NULL)::pair", "(1, '')::pair"), ("(NULL, NULL)::pair", "NULL")],
    "positive": [("1.0", "1.00")],
    "ext.hstore": [("'a=>NULL'", "'a=>\"NULL\"'")],
    "ext.citext": [("'Word'", "'word'")],  # 37
    "vector(2)": [("'[0,1]'", "'[-0,1]'"), ("'[1,2]'", "'[2,1]'")],  # 35
    "halfvec(2)": [("'[1,2]'", "'[2,1]'")],
    "sparsevec(3)": [("'{1:1}/3'", "'{2:1}/3'")],
    "money": [("1.00", "1.01")],
    "regclass": [("'twin'", "'empty'")],  # 42
}
"""Type → pairs of values that differ, many of which PostgreSQL calls equal."""

HOSTILE = {
    "TimeZone": "'Asia/Tokyo'",  # 11
    "DateStyle": "'German, DMY'",  # 12
    "IntervalStyle": "'sql_standard'",  # 13
    "bytea_output": "'escape'",  # 14
    "extra_float_digits": "-15",  # 15
    "search_path": "nowhere",  # 16
    "row_security": "on",  # 17
    "lc_monetary": "'C.UTF-8'",  # 18
    "client_encoding": "'LATIN1'",  # 19
    "default_transaction_isolation": "'serializable'",  # 20
    "xmlbinary": "'hex'",
    "quote_all_identifiers": "on",
    "statement_timeout": "'1ms'",  # 9
    "idle_in_transaction_session_timeout": "'1ms'",  # 8
}


@pytest.fixture(scope="module")
def vault(sandbox_shell: Shell, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    sandbox = Sandbox.of(sandbox_shell.project)
    with rich_database(sandbox) as name:
        made = Vault(tmp_path_factory.mktemp("fingerprint"), sandbox, name)
        made.execute(f"ALTER DATABASE {name} RESET ALL")
        yield made


@pytest.fixture
def access(vault: Vault) -> Access:
    return vault.access


def all_of(access: Access) -> dict[str, Fingerprint]:
    with seeing(access) as connection:
        known = tables(connection)
    return fingerprints(access, known, jobs=2, stopping=threading.Event())


@pytest.mark.case(21, 22, 32, 33, 34, 35, 37, 42)
@pytest.mark.parametrize("type_", CHANGES)
def test_every_changed_value_changes_it(access: Access, type_: str) -> None:
    missed = []
    with access.connection(search_path="public") as connection, connection.transaction(force_rollback=True):
        for before, after in CHANGES[type_]:
            connection.execute("DROP TABLE IF EXISTS public.probe")
            connection.execute(f"CREATE TABLE public.probe (id int, v {type_})")
            seen = set()
            for value in (before, after):
                connection.execute("TRUNCATE public.probe")
                connection.execute(f"INSERT INTO public.probe SELECT 1, {value}")
                seen.add(fingerprint(connection, Table("public", "probe", 0)))
            if len(seen) != 2:
                missed.append((before, after))

    assert missed == []


@pytest.mark.case(8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20)
@pytest.mark.parametrize(("name", "value"), HOSTILE.items())
def test_no_setting_of_a_database_changes_it(vault: Vault, name: str, value: str) -> None:
    calm = all_of(vault.access)

    vault.execute(f'ALTER DATABASE {vault.database} SET "{name}" TO {value}', "postgres")
    try:
        assert all_of(vault.access) == calm
    finally:
        vault.execute(f"ALTER DATABASE {vault.database} RESET ALL", "postgres")


def of(access: Access, *values: str) -> Fingerprint:
    """Of a table of two columns with these rows."""
    with access.connection(search_path="public") as connection, connection.transaction(force_rollback=True):
        connection.execute("CREATE TABLE public.probe (a int, b int, c text)")
        for value in values:
            connection.execute(f"INSERT INTO public.probe VALUES ({value})")
        return fingerprint(connection, Table("public", "probe", 0))


def test_the_order_of_rows_changes_nothing(access: Access) -> None:
    assert of(access, "1, 2, 'x'", "3, 4, 'y'") == of(access, "3, 4, 'y'", "1, 2, 'x'")


@pytest.mark.case(22, 24)
def test_values_that_change_places_change_it(access: Access) -> None:
    """24: between the rows of a column, and between the columns of a row."""
    assert of(access, "1, 2, 'x'", "3, 4, 'y'") != of(access, "1, 4, 'x'", "3, 2, 'y'")
    assert of(access, "1, 2, 'x'") != of(access, "2, 1, 'x'")
    assert of(access, "1, NULL, 'x'") != of(access, "NULL, 1, 'x'")


@pytest.mark.case(23)
def test_a_pair_of_equal_rows_is_not_nothing(access: Access) -> None:
    """23: one pair in place of another, and one row twice."""
    assert of(access, "1, 1, 'x'", "1, 1, 'x'") != of(access, "2, 2, 'y'", "2, 2, 'y'")
    assert of(access, "1, 1, 'x'", "1, 1, 'x'").rows == 2


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE million SET v = v + 1 WHERE id = 123456",
        "DELETE FROM million WHERE id = 123456",
        "INSERT INTO million SELECT * FROM million WHERE id = 123456",
        "DELETE FROM million WHERE id = 123456; INSERT INTO million SELECT * FROM million WHERE id = 123457",
    ],
    ids=["a value", "a missing row", "a doubled row", "a row in place of another"],
)
def test_one_row_of_a_million_changes_it(million: Access, change: str) -> None:
    with million.connection(search_path="public") as connection, connection.transaction(force_rollback=True):
        before = fingerprint(connection, Table("public", "million", 0))
        connection.execute(sql.SQL(change))

        assert fingerprint(connection, Table("public", "million", 0)) != before


@pytest.fixture(scope="module")
def million(vault: Vault) -> Access:
    vault.execute("CREATE TABLE million AS SELECT n AS id, n % 7 AS v FROM generate_series(1, 1000000) n")
    return vault.access


@pytest.mark.case(25, 26)
def test_tables_without_rows_or_columns_have_one(access: Access) -> None:
    """25 and 26."""
    found = all_of(access)

    assert found['"public"."empty"'] == Fingerprint(0, "0")
    assert found['"public"."nothing"'] == Fingerprint(1, "0")


@pytest.mark.case(28, 31, 39)
def test_what_holds_rows_of_its_own_is_counted_once(access: Access) -> None:
    """28, 31 and 39: odd names, children of an inheritance, unlogged tables; partitioned parents hold nothing."""
    found = all_of(access)

    assert found['"Odd Schema"."Ünlikely ""Table"""'].rows == 20
    assert (found['"public"."parent"'].rows, found['"public"."child"'].rows) == (1, 1)
    assert found['"public"."unlogged"'].rows == 1
    assert '"public"."event"' not in found
    assert found['"public"."event_2025"'].rows == 1


@pytest.mark.case(38)
def test_policies_hide_no_row_from_it(vault: Vault) -> None:
    """38: a role that they apply to gets an error."""
    with vault.access.connection() as connection, connection.transaction(force_rollback=True):
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier("praviel_local")))
        with pytest.raises(Exception, match="row-level security"):
            fingerprint(connection, Table("public", "guarded", 0))


@pytest.mark.case(1, 2)
def test_all_see_the_moment_that_is_held(vault: Vault) -> None:
    """1 and 2: what is written after it, and tables that are made after it, are in none of them."""
    with held(vault.access) as holder:
        with seeing(vault.access, holder.moment) as connection:
            known = tables(connection)
        vault.execute("INSERT INTO twin VALUES (9, 'late'); CREATE TABLE late AS SELECT 1 AS a")
        before = fingerprints(vault.access, known, moment=holder.moment, jobs=2, stopping=threading.Event())
    now = all_of(vault.access)
    vault.execute("DROP TABLE late; DELETE FROM twin WHERE a = 9")

    assert now['"public"."twin"'].rows == before['"public"."twin"'].rows + 1
    assert '"public"."late"' not in before


@pytest.mark.case(5)
def test_a_moment_that_is_not_held_any_more_is_refused(vault: Vault) -> None:
    """5: nobody joins another moment by accident."""
    with held(vault.access) as holder:
        moment = holder.moment

    with pytest.raises(SystemFault) as caught, seeing(vault.access, moment):
        pass

    assert "snapshot" in caught.value.found


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (Column("a", "int4", "pg_catalog", "b"), '"a"'),
        (Column("a", "text", "pg_catalog", "b"), '"a" COLLATE "C"'),
        (Column("a", "numeric", "pg_catalog", "b"), 'pg_catalog."numeric_send"("a")'),
        (Column("a", "vector", "Ext", "b"), '"Ext"."vector_send"("a")'),
        (Column("a", "int4", "public", "d"), '("a"::pg_catalog.text) COLLATE "C"'),  # a domain of that name
        (Column('b"', "mood", "public", "e"), '("b"""::pg_catalog.text) COLLATE "C"'),
        (Column("a", "vector", "public", "c"), '("a"::pg_catalog.text) COLLATE "C"'),  # a composite of that name
    ],
)
def test_a_column_is_hashed_by_its_type(column: Column, expected: str) -> None:
    assert hashed(column).as_string(None) == expected
