"""Whom the clean-up erases, and whom it never touches."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from runbooks.checks.journey import ME, Journey
from runbooks.checks.subject import Subject
from runbooks.engine.errors import Reason, SystemFault
from runbooks.engine.journal import Journal
from runbooks.engine.redact import Redactor
from runbooks.engine.secret import Secret
from runbooks.engine.step import Scope
from runbooks.environment.load import load
from runbooks.environment.site import Site
from runbooks.sandbox.world import Sandbox
from runbooks.steps import accounts, leftovers
from runbooks.systems.postgres.client import Database
from tests.conftest import Shell

DOMAIN = "checks.praviel.test"


class Run:
    """One run's journal, user and scope, without the engine around them."""

    def __init__(self, runs: Path, id: str, site: Site, domain: str | None = DOMAIN) -> None:
        self.runs = runs
        self.journal = Journal.create(runs / id, Redactor())
        self.subject = Subject(site, Journey(lambda: site.application, domain, id))
        self.scope = Scope(
            run=id, before={}, seconds=30, stopping=threading.Event(), say=print, record=self.journal.append
        )

    def register(self) -> str:
        return accounts.register(self.subject, self.scope)

    def erase(self) -> str:
        return accounts.erase(self.subject, self.scope, self.runs)

    def killed(self) -> Run:
        """The kernel takes its lock away."""
        self.journal.close()
        return self

    def kinds(self) -> list[str]:
        return [record.kind for record in self.journal.records]


@pytest.fixture
def site(shell: Shell) -> Iterator[Site]:
    opened = Site(load(shell.project / "inventory", "local"), Redactor())
    yield opened
    opened.close()


@pytest.fixture
def superuser(sandbox: Sandbox) -> Iterator[psycopg.Connection[Any]]:
    with sandbox.superuser("local") as connection:
        connection.autocommit = True
        yield connection


def addresses(superuser: psycopg.Connection[Any]) -> set[str]:
    return {row[0] for row in superuser.execute('SELECT email FROM "user"').fetchall()}


def test_its_own_user_goes_with_all_rows_and_nobody_else(
    site: Site, tmp_path: Path, superuser: psycopg.Connection[Any]
) -> None:
    before = addresses(superuser)
    run = Run(tmp_path, "run-1", site)
    assert run.register().startswith("user ")
    assert addresses(superuser) - before == {run.subject.journey.email}

    assert run.erase().startswith("erased 1 test users with ")

    assert addresses(superuser) == before
    assert run.kinds() == [leftovers.REGISTERING, leftovers.CREATED, leftovers.ERASED]
    assert run.erase() == "no test account was created"


def test_the_address_is_on_disk_ahead_of_the_request(site: Site, tmp_path: Path) -> None:
    run = Run(tmp_path, "run-1", site)

    def look(**_: str) -> None:
        assert run.kinds() == [leftovers.REGISTERING]
        raise KeyboardInterrupt

    run.subject.journey.register = look  # type: ignore[assignment,method-assign]
    with pytest.raises(KeyboardInterrupt):
        run.register()

    assert run.journal.records[0].data["emails"] == list(run.subject.journey.addresses)


def test_the_next_run_erases_the_user_of_a_killed_one(
    site: Site, tmp_path: Path, superuser: psycopg.Connection[Any]
) -> None:
    before = addresses(superuser)
    killed = Run(tmp_path, "run-1", site)
    killed.register()
    killed.killed()
    later = Run(tmp_path, "run-2", site)

    assert later.erase().startswith("erased 1 test users")

    assert addresses(superuser) == before
    assert Run(tmp_path, "run-3", site).erase() == "no test account was created", "nobody looks twice"


def test_the_user_of_a_run_that_goes_on_stays(site: Site, tmp_path: Path, superuser: psycopg.Connection[Any]) -> None:
    busy = Run(tmp_path, "run-1", site)
    busy.register()

    assert Run(tmp_path, "run-2", site).erase() == "no test account was created"

    assert busy.subject.journey.email in addresses(superuser)
    busy.erase()


def test_a_user_outside_the_test_domain_is_named_and_never_touched(
    site: Site, tmp_path: Path, superuser: psycopg.Connection[Any]
) -> None:
    stranger = Run(tmp_path, "run-1", site, domain="praviel.example")
    stranger.register()
    stranger.killed()
    email = stranger.subject.journey.email

    with pytest.raises(SystemFault, match="could not be erased") as caught:
        Run(tmp_path, "run-2", site).erase()

    assert email in caught.value.where
    assert email in addresses(superuser)
    referring = superuser.execute(
        "SELECT conrelid::regclass::text, a.attname FROM pg_constraint c JOIN pg_attribute a"
        " ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]"
        " WHERE c.contype = 'f' AND c.confrelid = '\"user\"'::regclass"
    ).fetchall()
    for table, column in referring:
        statement = f'DELETE FROM {table} WHERE {column} = (SELECT id FROM "user" WHERE email = %s)'
        superuser.execute(statement, [email])
    superuser.execute('DELETE FROM "user" WHERE email = %s', [email])


def test_a_user_that_a_check_has_erased_is_not_looked_for_again(
    site: Site, tmp_path: Path, superuser: psycopg.Connection[Any]
) -> None:
    before = addresses(superuser)
    run = Run(tmp_path, "run-1", site)
    run.register()
    assert run.subject.journey.ask("DELETE", ME).status == 204
    run.subject.journey.erased = True

    assert run.erase() == "the application has erased the test user"

    assert addresses(superuser) == before
    assert leftovers.left_behind(tmp_path, "run-1") == []


def test_a_user_that_a_check_has_erased_softly_goes_at_the_end(
    site: Site, tmp_path: Path, superuser: psycopg.Connection[Any]
) -> None:
    before = addresses(superuser)
    run = Run(tmp_path, "run-1", site)
    run.register()
    run.subject.journey.erased = True

    assert run.erase().startswith("erased 1 test users")

    assert addresses(superuser) == before


def test_a_table_that_would_lose_more_rows_than_explained_stops_it_all(
    site: Site, tmp_path: Path, superuser: psycopg.Connection[Any]
) -> None:
    """Somebody gave the test user a history of his own."""
    run = Run(tmp_path, "run-1", site)
    run.register()
    number = run.subject.journey.account()["id"]
    superuser.execute('CREATE TABLE diary (id serial PRIMARY KEY, user_id int REFERENCES "user" (id))')
    superuser.execute("ALTER TABLE diary OWNER TO praviel_local")
    try:
        superuser.execute("INSERT INTO diary (user_id) SELECT %s FROM generate_series(1, 40)", [number])
        run.subject.journey.ask = lambda *_: _refuse()  # type: ignore[method-assign]

        with pytest.raises(SystemFault) as caught:
            run.erase()

        assert "more rows than test users can have caused" in caught.value.found
        assert run.subject.journey.email in addresses(superuser)
        assert superuser.execute("SELECT count(*) FROM diary").fetchone() == (40,), "rolled back as a whole"
        assert leftovers.ERASED not in run.kinds()
    finally:
        superuser.execute("DROP TABLE diary")
    assert run.erase().startswith("erased 1")


def _refuse() -> Any:
    raise SystemFault("not now", reason=Reason.UNREACHABLE)


def test_without_the_right_to_delete_the_application_is_asked_and_the_rest_is_named(
    site: Site, tmp_path: Path, superuser: psycopg.Connection[Any], sandbox: Sandbox
) -> None:
    killed = Run(tmp_path, "run-1", site)
    killed.register()
    killed.killed()
    run = Run(tmp_path, "run-2", site)
    run.register()
    superuser.execute("CREATE ROLE reader LOGIN PASSWORD 'only-to-read'")
    superuser.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
    url = sandbox.variables("local")["DATABASE_URL"].rpartition("@")[2]
    full, site.__dict__["database"] = site.database, Database(Secret("url", f"postgresql://reader:only-to-read@{url}"))
    try:
        with pytest.raises(SystemFault, match="could not be erased") as caught:
            run.erase()
    finally:
        site.database.close()
        site.__dict__["database"] = full
        superuser.execute("DROP OWNED BY reader")
        superuser.execute("DROP ROLE reader")

    assert killed.subject.journey.email in caught.value.where
    assert run.subject.journey.email not in caught.value.where
    last = run.journal.records[-1]
    assert (last.kind, last.data["how"]) == (leftovers.ERASED, "request")
    assert Run(tmp_path, "run-3", site).erase().startswith("erased 1")


def test_a_refused_registration_leaves_nothing_to_erase(site: Site, tmp_path: Path) -> None:
    run = Run(tmp_path, "run-1", site)
    run.subject.journey.username = "x"  # too short: 422

    assert run.register() == "no test account: HTTP 422"
    assert leftovers.left_behind(tmp_path, "run-1") == []


def test_without_a_test_domain_nobody_is_registered(site: Site, tmp_path: Path) -> None:
    run = Run(tmp_path, "run-1", site, domain=None)

    assert run.register() == "no test account: no test account may be created in this environment"
    assert run.kinds() == []
    assert run.erase() == "no test account was created"


def test_a_journal_that_can_not_be_read_stops_nobody(site: Site, tmp_path: Path) -> None:
    (tmp_path / "run-0").mkdir()
    (tmp_path / "run-0" / "journal.jsonl").symlink_to("nowhere")
    (tmp_path / "run-1").mkdir()
    (tmp_path / "run-1" / "journal.jsonl").write_text("rubbish\n")

    assert Run(tmp_path, "run-2", site).erase() == "no test account was created"
