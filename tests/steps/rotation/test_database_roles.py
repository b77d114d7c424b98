"""Two roles take turns at logging in, and what either of them makes belongs to the one that both act as."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest
from psycopg import sql

from runbooks.engine.errors import InputError, Reason, SystemFault
from runbooks.engine.secret import Secret
from runbooks.environment.database_roles import DatabaseRoles as Declared
from runbooks.environment.site import Site
from runbooks.sandbox.world import Sandbox
from runbooks.steps.rotation.database_roles import DatabaseRoles
from runbooks.steps.rotation.database_url import NAME, with_password
from runbooks.steps.rotation.kind import Change
from runbooks.systems.postgres import roles
from runbooks.systems.postgres.access import Access

OWNER, ODD, EVEN, HELPER = "turns_owner", "turns_odd", "turns_even", "turns_helper"


@dataclass
class There:
    """A database whose owner logs in by itself, as ahead of the first rotation."""

    admin: Access
    url: Secret

    def kind(self, *, operators: Access | None = None, database_url: Secret | None = None) -> DatabaseRoles:
        declared = SimpleNamespace(database=SimpleNamespace(roles=Declared(owner=OWNER, logins=(ODD, EVEN))))
        site = SimpleNamespace(environment=declared, database_url=database_url or self.url)
        made = DatabaseRoles(cast(Site, site))
        made.__dict__["operators"] = operators or self.admin
        return made

    def change(self, current: Secret | None = None) -> Change:
        """A rotation's, from the look to where both may log in."""
        old = current or self.url
        kind = self.kind(database_url=old)
        kind.look({NAME: old})
        change = Change({NAME: old}, kind.make({NAME: old}))
        kind.set(change, cast(Any, None))
        assert kind.is_set(change)
        return change

    def session(self, url: Secret) -> psycopg.Connection[Any]:
        return psycopg.connect(url.reveal(), autocommit=True)

    def as_superuser(self, *statements: str) -> None:
        with self.admin.connection() as connection:
            for statement in statements:
                connection.execute(sql.SQL(statement))

    def may_log_in(self) -> set[str]:
        with self.admin.connection() as connection:
            found = connection.execute(
                "SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolname = ANY (%s)", [[OWNER, ODD, EVEN]]
            ).fetchall()
        return {row["rolname"] for row in found}


@pytest.fixture
def there(sandbox: Sandbox) -> Iterator[There]:
    password = secrets.token_urlsafe(16)
    with sandbox.superuser() as connection:
        connection.autocommit = True
        info = connection.info
        place = f"{info.host}:{info.port}/{OWNER}"
        admin = Access(url=Secret("admin", f"postgresql://{info.user}:{info.password}@{place}"))
        connection.execute(f"CREATE ROLE {OWNER} LOGIN PASSWORD '{password}'")
        connection.execute(f"CREATE DATABASE {OWNER} OWNER {OWNER}")
        try:
            yield There(admin, Secret(NAME, f"postgresql://{OWNER}:{password}@{place}"))
        finally:
            connection.execute(f"DROP DATABASE {OWNER} WITH (FORCE)")
            for role in (HELPER, ODD, EVEN, OWNER):
                with contextlib.suppress(psycopg.errors.UndefinedObject):
                    connection.execute(f"DROP ROLE {role}")


def owner_of(session: psycopg.Connection[Any], table: str) -> str:
    row = session.execute("SELECT tableowner FROM pg_tables WHERE tablename = %s", [table]).fetchone()
    assert row
    return str(row[0])


def test_what_one_of_them_makes_the_other_one_can_change(there: There) -> None:
    first = there.change()
    odd = first.new[NAME]
    with there.session(odd) as session:
        session.execute("CREATE TABLE book (id int)")
        session.execute("INSERT INTO book VALUES (1)")
        assert owner_of(session, "book") == OWNER
        assert session.execute("SELECT session_user::text, current_user::text").fetchone() == (ODD, OWNER)
        session.execute("RESET ALL")
        assert session.execute("SELECT current_user::text").fetchone() == (OWNER,), "a pool resets connections so"
    there.kind().withdraw(first)
    assert there.may_log_in() == {ODD}

    second = there.change(odd)

    assert Access(url=second.new[NAME]).user == EVEN
    assert there.may_log_in() == {ODD, EVEN}
    with there.session(second.new[NAME]) as session:
        session.execute("ALTER TABLE book ADD title text")
        session.execute("DROP TABLE book")
    there.kind().withdraw(second)
    assert there.may_log_in() == {EVEN}
    third = there.change(second.new[NAME])
    assert Access(url=third.new[NAME]).user == ODD
    assert third.new[NAME] != odd


def test_whoever_is_connected_is_counted_and_left_alone(there: There) -> None:
    change, kind = there.change(), there.kind()
    with there.session(change.old[NAME]) as session:
        assert kind.users_of_old(change) == 1
        kind.withdraw(change)
        assert kind.is_withdrawn(change)
        assert session.execute("SELECT 1").fetchone() == (1,)
    kind.withdraw(change)
    assert kind.users_of_old(change) == 0

    kind.readmit(change)

    assert roles.accepts(kind.as_role_of(change.old[NAME]))
    kind.unset(change)
    kind.unset(change)
    assert not roles.accepts(kind.as_role_of(change.new[NAME]))
    assert there.may_log_in() == {OWNER}


def test_a_new_role_that_does_not_act_as_the_owner_is_not_used(there: There) -> None:
    change, kind = there.change(), there.kind()
    kind.test(change)
    there.as_superuser(f"ALTER ROLE {ODD} RESET role")

    assert not kind.is_set(change)
    with pytest.raises(SystemFault, match=f"{ODD} does not act as {OWNER}") as caught:
        kind.test(change)
    assert caught.value.found == f"current_user is {ODD}"


def refused(there: There, **how: Any) -> InputError:
    with pytest.raises(InputError) as caught:
        there.kind(**how).look({NAME: there.url})
    return caught.value


def test_tables_of_others_are_told_ahead_with_what_mends_it(there: There) -> None:
    there.as_superuser(f"CREATE ROLE {HELPER}", f"GRANT CREATE ON SCHEMA public TO {HELPER}")
    there.as_superuser("CREATE TABLE public.stray (id int)", f"ALTER TABLE public.stray OWNER TO {HELPER}")
    try:
        assert refused(there).mend == f"REASSIGN OWNED BY {HELPER} TO {OWNER}"
        there.as_superuser(f"REASSIGN OWNED BY {HELPER} TO {OWNER}")
        assert "turns_odd is next" in there.kind().look({NAME: there.url})
    finally:
        there.as_superuser(f"DROP OWNED BY {HELPER}")


def test_an_operator_is_not_to_be_locked_out(there: There) -> None:
    elsewhere = with_password(there.url, "another", user=EVEN)

    assert "database.url logs in as a role" in refused(there, database_url=elsewhere).what
    assert "backup.database_url logs in as" in refused(there, operators=replace(there.admin, url=there.url)).what


def test_nobody_may_be_connected_as_the_next_one(there: There) -> None:
    there.as_superuser(f"CREATE ROLE {ODD} LOGIN PASSWORD 'not-so-secret'")
    with there.session(with_password(there.url, "not-so-secret", user=ODD)):
        assert "somebody is connected as the next role (1)" in refused(there).what


def test_what_is_hidden_from_an_operator_is_not_taken_for_nobody(there: There) -> None:
    there.as_superuser(f"CREATE ROLE {HELPER} LOGIN PASSWORD 'not-so-secret'")
    helper = replace(there.admin, url=with_password(there.url, "not-so-secret", user=HELPER))
    with there.session(there.url):
        with pytest.raises(SystemFault, match="is hidden from turns_helper") as caught:
            roles.ages(helper, OWNER)
        assert caught.value.reason is Reason.UNAUTHORISED
        there.as_superuser(caught.value.mend)
        assert len(roles.ages(helper, OWNER)) == 1
    assert "may not change these roles" in refused(there, operators=helper).what
