"""An application that nobody's sandbox started, described in a page of inventory."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg import sql

from runbooks.sandbox import ports, repository
from runbooks.sandbox.world import Sandbox
from tests import servers
from tests.conftest import Shell
from tests.shops import Shop, private, wait_for

INVENTORY = """\
schema = 1
description = "The public service"

[application]
url = "http://127.0.0.1:{port}"

[variables]
source = "dotenv"
path = "variables.env"

[providers]
openai.url = {{ variable = "OPENAI_API_BASE" }}
anthropic.url = {{ variable = "ANTHROPIC_API_BASE" }}
google.url = {{ variable = "GOOGLE_API_BASE" }}

[mail]
url = {{ variable = "RESEND_API_BASE" }}

[platform]
kind = "hosts"

[dns]
servers = ["127.0.0.1:{dns}"]
"""
NAME = "hand_made"
OWN_MACHINE = {
    "email.frontend-url-public",
    "platform.custom-domain",
    "platform.https",
    "recovery.backup-works",
    "recovery.restore-tested",
    "recovery.variables-backed-up",
    "secrets.encryption-key-recoverable",
}
"""What is rightly red here: an application at plain http on this machine, of which nobody has kept a copy yet."""


@dataclass
class ByHand:
    project: Path
    checkout: Path
    port: int

    @property
    def file(self) -> Path:
        return self.project / "inventory" / "production" / "environment.toml"

    def declare(self, after: str, line: str) -> None:
        self.file.write_text(self.file.read_text().replace(after, f"{after}\n{line}", 1))


@pytest.fixture
def by_hand(tmp_path: Path, sandbox: Sandbox) -> Iterator[ByHand]:
    """Its own checkout, role, database, variables and process; PostgreSQL and Redis are the session's."""
    checkout = tmp_path / "checkout"
    repository.build(tmp_path / "repository")
    repository.checkout(tmp_path / "repository", "v1", checkout)
    password = secrets.token_urlsafe(24)
    made = ByHand(tmp_path, checkout, servers.closed_port())
    made.file.parent.mkdir(parents=True)
    made.file.write_text(INVENTORY.format(port=made.port, dns=sandbox.numbers()[ports.DNS]))
    variables = sandbox.variables("local") | {
        "DATABASE_URL": f"postgresql://{NAME}:{password}@127.0.0.1:{sandbox.numbers()[ports.POSTGRES]}/{NAME}",
        "REDIS_URL": sandbox.variables("local")["REDIS_URL"].rpartition("/")[0] + "/7",
        "PORT": str(made.port),
        "JWT_SECRET_KEY": secrets.token_urlsafe(32),
    }
    private(made.file.parent / "variables.env", variables)
    with database(sandbox, password), running(checkout, variables, made.port):
        yield made


@contextmanager
def database(sandbox: Sandbox, password: str) -> Iterator[None]:
    name = sql.Identifier(NAME)
    with sandbox.superuser() as connection:
        connection.autocommit = True
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(name, sql.Literal(password)))
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, name))
        try:
            with psycopg.connect(connection.info.dsn, password=connection.info.password, dbname=NAME) as inside:
                inside.execute("CREATE EXTENSION vector")
                inside.execute("CREATE EXTENSION pg_trgm")
            yield
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
            connection.execute(sql.SQL("DROP ROLE {}").format(name))


@contextmanager
def running(checkout: Path, variables: dict[str, str], port: int) -> Iterator[None]:
    environment = {"PATH": f"{Path(sys.executable).parent}:{os.defpath}", "PYTHONDONTWRITEBYTECODE": "1", **variables}
    for words in (["alembic", "upgrade", "head"], ["app.seed"]):
        subprocess.run(
            [sys.executable, "-m", *words], cwd=checkout, env=environment, check=True, capture_output=True, timeout=60
        )
    arguments = ["app.main:app", "--host", servers.LOOPBACK, "--port", str(port)]
    with (checkout.parent / "uvicorn.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", *arguments], cwd=checkout, env=environment, stdout=log, stderr=log
        )
    try:
        wait_for(lambda: answers(port), "the application")
        yield
    finally:
        process.terminate()
        process.wait(20)


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://{servers.LOOPBACK}:{port}/health", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def test_a_page_of_inventory_is_enough_for_a_verdict(by_hand: ByHand, sandbox: Sandbox) -> None:
    assert len(by_hand.file.read_text().splitlines()) < 30
    assert tomllib.loads(by_hand.file.read_text()).get("protected") is None, "protected by default"
    shop = Shop(by_hand.project, sandbox, {}, {}, name="production")

    code, checks, report = shop.checks()

    assert code == 3, report["error"]
    assert report["line"].startswith("NO-GO production: "), "not to be taken for a sandbox"
    assert report["sandbox"] is False
    account = checks["accounts.register"]
    assert account["verdict"] == "unknown"
    assert "application.test_email_domain" in account["mend"]
    for id in ("migrations.run-on-deploy", "final.settings-load", "secrets.jwt-key-not-default"):
        assert (checks[id]["verdict"], checks[id]["mend"]) == ("unknown", "declare release.source in the inventory")
    for id in ("health.app", "health.database", "postgres.pgvector", "redis.password", "environment.dev-cors-off"):
        assert checks[id]["verdict"] == "passed", checks[id]["found"]
    assert {id for id, check in checks.items() if check["verdict"] == "failed"} == OWN_MACHINE
    assert users(sandbox) == 0

    by_hand.declare("[application]", 'test_email_domain = "checks.praviel.test"')
    by_hand.declare("[platform]", "")
    by_hand.file.write_text(
        f'{by_hand.file.read_text()}\n[release]\nsource = "{by_hand.checkout}"\npython = "{sys.executable}"\n'
    )
    assert len(by_hand.file.read_text().splitlines()) < 30

    code, checks, report = shop.checks()

    never_drilled = OWN_MACHINE | {"migrations.rollback-plan"}
    assert {id for id, check in checks.items() if check["verdict"] == "failed"} == never_drilled
    assert {id for id, check in checks.items() if check["verdict"] == "unknown" and not check["mend"]} == set()
    assert (code, report["verdict"]) == (3, "NO-GO")
    assert users(sandbox) == 0


def test_it_is_chosen_and_named_without_a_word_about_a_sandbox(by_hand: ByHand) -> None:
    shell = Shell(by_hand.project)

    done = shell.invoke("release.verify", "--only", "health.app", environment={"RUNBOOKS_ENV": "production"})

    assert done.stdout.splitlines()[-2].startswith("GO production: 1 passed")
    assert "sandbox" not in done.stdout
    assert not (by_hand.project / "var" / "sandbox").exists()


def users(sandbox: Sandbox) -> int:
    with sandbox.superuser() as connection:
        dsn, password = connection.info.dsn, connection.info.password
    with psycopg.connect(dsn, password=password, dbname=NAME) as inside:
        row = inside.execute('SELECT count(*) FROM "user"').fetchone()
    assert row
    return int(row[0])
